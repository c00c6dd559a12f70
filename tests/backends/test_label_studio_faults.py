"""What can go wrong between us and a Label Studio, each told in one line, without the key."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest

from curate.backends.label_studio import client
from curate.backends.label_studio.accounts import LabelStudioAccounts
from curate.backends.label_studio.backend import LabelStudioBackend
from curate.backends.label_studio.client import Forbidden, NotFound, TooLarge
from curate.errors import BackendError, BackendUnavailable, NotAllowed
from curate.forms import load_form
from curate.records import Project

KEY = "0123456789abcdef0123456789abcdef01234567"

Respond = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(respond: Respond) -> Iterator[str]:
    """Yield the address of a server that does one thing to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            respond(self)

        do_POST = do_GET

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def answer(status: int, body: bytes, headers: Mapping[str, str] = {}) -> Respond:
    """Return how to give one answer."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return respond


def cut(handler: BaseHTTPRequestHandler) -> None:
    """Hang up in the middle of an answer."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"tasks": [')


def silent(handler: BaseHTTPRequestHandler) -> None:
    """Answer too late."""
    Event().wait(1)


HTML = b"<html><body>Welcome to nginx!</body></html>"
FAULTS: dict[str, tuple[Respond, type[BackendError], str, str]] = {
    "wrong key": (
        *(answer(401, b'{"detail": "Invalid token."}'), NotAllowed),
        *("refuses the key .*401.*Invalid token", "LABEL_STUDIO_API_KEY"),
    ),
    "not allowed": (
        *(answer(403, b'{"detail": "No permission."}'), Forbidden),
        *("does not allow that.*403.*No permission", "account that may do this"),
    ),
    "a proxy's refusal": (answer(403, HTML), Forbidden, "403", "a proxy stands in between"),
    "wrong path": (answer(404, HTML), NotFound, "no such thing .*404", "LABEL_STUDIO_URL"),
    "gone": (answer(404, b'{"detail": "Not found."}'), NotFound, "404.*Not found", ""),
    "conflict": (
        *(answer(409, b'{"detail": "You already have a valid token."}'), BackendError),
        *("exists already .*409.*valid token", "try again"),
    ),
    "too large": (answer(413, HTML), TooLarge, "body of that size .*413", "client_max_body_size"),
    "too long": (answer(414, HTML), BackendError, "address of that length", "header_buffers"),
    "invalid": (
        *(answer(422, b'{"detail": [{"loc": ["body"], "msg": "bad"}]}'), BackendError),
        *("422.*bad", "another version"),
    ),
    "too often": (
        *(answer(429, b'{"detail": "slow down"}', {"Retry-After": "17"}), BackendUnavailable),
        *("429.*slow down", "try again in 17 s"),
    ),
    "too often until": (
        answer(429, b"", {"Retry-After": "Tue, 24 Nov 2026 12:00:00 GMT"}),
        *(BackendUnavailable, "429", "try again after Tue, 24 Nov 2026"),
    ),
    "broken": (answer(500, b'{"detail": "boom"}'), BackendUnavailable, "500.*boom", "in a while"),
    "no gateway": (answer(502, HTML), BackendUnavailable, "502", "try again in a while"),
    "busy": (answer(503, HTML, {"Retry-After": "5"}), BackendUnavailable, "503", "in 5 s"),
    "sent to https": (
        *(answer(301, b"", {"Location": "https://label.example.org/x?key=1"}), BackendError),
        *("sends on to https://label.example.org/x$", "LABEL_STUDIO_URL"),
    ),
    "sent to log in": (
        *(answer(302, b"", {"Location": "/user/login"}), BackendError),
        *("sends on to /user/login$", "LABEL_STUDIO_URL"),
    ),
    "a page": (answer(200, HTML), BackendError, "answer in JSON", "LABEL_STUDIO_URL"),
    "nothing": (answer(200, b""), BackendError, "answer in JSON", "LABEL_STUDIO_URL"),
    "half a document": (
        answer(200, b'{"half": '),
        BackendError,
        "answer in JSON",
        "a Label Studio",
    ),
    "half an answer": (cut, BackendUnavailable, "cannot be reached", "is it running"),
    "too late": (silent, BackendUnavailable, "does not answer in time", "try again"),
}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait for long: not we for the server, not the SDK before it tries again."""
    monkeypatch.setattr(client, "TIMEOUT", 0.3)
    monkeypatch.setattr("time.sleep", lambda seconds: None)


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_told_in_one_line_with_a_hint(fault: str) -> None:
    respond, kind, words, hint = FAULTS[fault]
    with serving(respond) as url:
        backend = LabelStudioBackend(url, KEY)
        for ask in (backend.ping, backend.accounts, LabelStudioAccounts(url, KEY).logins):
            with pytest.raises(kind, match=words) as caught:
                ask()
            assert type(caught.value) is kind
            assert "\n" not in caught.value.message
            assert hint in caught.value.hint
            assert KEY not in f"{caught.value!r} {caught.value.hint}"


def test_a_project_of_another_account_is_told() -> None:
    form = load_form("topic")
    project = Project("label_studio", "", "own-r01", "7", form, 1, "")
    with serving(answer(403, b'{"detail": "No permission."}')) as url:
        with pytest.raises(NotAllowed, match="own-r01 is not open to the account") as caught:
            LabelStudioBackend(url, KEY).open_project(project)
        assert "a key of another account" in caught.value.hint
    refused = answer(401, b'{"detail": "Invalid token."}')
    with serving(refused) as url, pytest.raises(NotAllowed, match="refuses the key"):
        LabelStudioBackend(url, KEY).open_project(project)


def test_a_key_that_the_server_repeats_is_not_shown() -> None:
    body = json.dumps({"detail": f"no token {KEY}\nhere"}).encode()
    with serving(answer(400, body)) as url, pytest.raises(BackendError) as caught:
        LabelStudioBackend(url, KEY).client.accounts()
    assert caught.value.message.endswith("(HTTP 400): no token … here")


def jwt(**claims: Any) -> str:
    """Return a token that looks like a personal access token."""
    parts = ({"alg": "HS256", "typ": "JWT"}, claims)
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts]
    return ".".join((*(part.rstrip("=") for part in coded), "c2lnbmVk"))


def test_an_expired_access_token_is_told_without_asking() -> None:
    token = jwt(token_type="refresh", exp=1)
    with pytest.raises(NotAllowed, match="API key has expired") as caught:
        LabelStudioBackend("http://127.0.0.1:9", token).ping()
    assert "access tokens expire" in caught.value.hint
    assert token not in f"{caught.value!r} {caught.value.hint}"


def test_a_revoked_access_token_is_told() -> None:
    token = jwt(token_type="refresh", exp=4_000_000_000)
    revoked = answer(401, b'{"detail": "Token is blacklisted", "code": "token_not_valid"}')
    with serving(revoked) as url, pytest.raises(NotAllowed, match="blacklisted") as caught:
        LabelStudioBackend(url, token).ping()
    assert token not in f"{caught.value!r} {caught.value.hint}"


@pytest.mark.parametrize("key", ["", " ", "ключ", "two\nlines"])
def test_what_can_be_no_key_is_told_without_asking(key: str) -> None:
    with pytest.raises(NotAllowed, match="there is no key") as caught:
        LabelStudioBackend("http://127.0.0.1:9", key).ping()
    assert "LABEL_STUDIO_API_KEY" in caught.value.hint


@pytest.mark.parametrize("url", ["label.example.org", "ftp://127.0.0.1", "http://", "http://[::1"])
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(BackendError) as caught:
        LabelStudioBackend(url, KEY).ping()
    assert caught.value.hint


def test_nobody_there_is_told() -> None:
    with pytest.raises(BackendUnavailable, match="cannot be reached") as caught:
        LabelStudioBackend("http://127.0.0.1:9", KEY).ping()
    assert "is it running" in caught.value.hint


def test_https_where_http_is_spoken_is_told() -> None:
    with serving(answer(200, HTML)) as url, pytest.raises(BackendError, match="speak TLS") as bad:
        LabelStudioBackend(url.replace("http:", "https:"), KEY).ping()
    assert "LABEL_STUDIO_URL" in bad.value.hint
