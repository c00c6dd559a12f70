"""What stands before the embedded Argilla lets through, and what it refuses."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from curate.errors import ServerError
from curate.servers.argilla import guard, inside
from curate.servers.argilla import server as argilla


class Behind:
    """An application that remembers what it was asked."""

    def __init__(self) -> None:
        self.scopes: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b"through"})


def ask(method: str = "GET", path: str = "/", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of an answer; with 599 for none at all."""
    sent: list[Any] = []
    behind = Behind()
    given = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": given}
    asyncio.run(guard.Guard(behind, "policy")(scope, None, send))  # type: ignore[arg-type]
    for seen in behind.scopes:
        assert b"range" not in dict(seen["headers"])
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], answered, sent[1]["body"]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:6900", "localhost:1", "LOCALHOST"])
def test_our_own_names_are_let_through(host: str) -> None:
    status, headers, body = ask(host=host, range="bytes=0-1")
    assert (status, body) == (200, b"through")
    assert headers["content-security-policy"] == "policy"
    assert headers["a"] == "b"


@pytest.mark.parametrize(
    "host",
    [
        *("", "evil.example", "127.0.0.1.evil.example", "127.0.0.1:1@evil.example", "localhost."),
        *("127.0.0.2", "0.0.0.0", "[::1]", "127.0.0.1:6900:1", "127\u00b70.0.1", "localhost\n"),
    ],
)
def test_other_names_are_refused(host: str) -> None:
    status, headers, body = ask(host=host)
    assert status == 400
    assert headers["content-security-policy"] == "policy"
    assert "127.0.0.1" in json.loads(body)["detail"]


def test_without_a_name_it_is_refused() -> None:
    assert ask()[0] == 400


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:6900", 200),
        ("http://localhost:6900", 403),
        ("http://127.0.0.1:8080", 403),
        ("https://127.0.0.1:6900", 403),
        ("http://evil.example", 403),
        ("null", 403),
    ],
)
def test_other_origins_are_refused(origin: str, status: int) -> None:
    assert ask("POST", host="127.0.0.1:6900", origin=origin)[0] == status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/webhooks", 200),
        ("POST", "/api/v1/webhooks", 501),
        ("PATCH", "/api/v1/webhooks/1", 501),
        ("POST", "/api/v1/webhooks/1/ping", 501),
        ("POST", "/api/v1/datasets/1/import", 501),
        ("POST", "/api/v1/datasets/1/export", 501),
        ("POST", "/api/v1/datasets", 200),
        ("PUT", "/api/v1/datasets/1/records/bulk", 200),
    ],
)
def test_what_would_leave_the_machine_is_refused(method: str, path: str, status: int) -> None:
    assert ask(method, path, host="localhost")[0] == status


def test_other_protocols_get_no_answer() -> None:
    async def send(message: Any) -> None:
        raise AssertionError(message)

    behind = Behind()
    scope = {"type": "websocket", "path": "/", "headers": []}
    asyncio.run(guard.Guard(behind, "policy")(scope, None, send))  # type: ignore[arg-type]
    assert behind.scopes == []


def test_only_the_pages_own_scripts_are_allowed(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<p><script>one()</script><script src='x'></script>")
    (tmp_path / "b.html").write_text("<script type='y'>two('é')</script>", encoding="utf-8")
    allowed = guard.policy(tmp_path)
    for script in ("one()", "two('é')"):
        assert b64encode(sha256(script.encode()).digest()).decode() in allowed
    assert "default-src 'self'" in allowed
    assert "unsafe-eval" not in allowed
    (scripts,) = (part for part in allowed.split("; ") if part.startswith("script-src"))
    assert "unsafe-inline" not in scripts
    elsewhere = {part for part in allowed.replace(";", "").split() if part.startswith("http")}
    assert elsewhere == {"http://127.0.0.1:*", "http://localhost:*"}  # images of this machine
    assert [part for part in allowed.split("; ") if "http" in part] == [
        f"img-src {guard.POLICY['img-src']}"
    ]


def test_styles_forget_other_machines(tmp_path: Path) -> None:
    style = tmp_path / "deep" / "a.css"
    style.parent.mkdir()
    style.write_text(
        "@import url(https://x.example/a?b:c;d&e);@import url(//y);@import url(own.css);p{}"
    )
    guard.forget_others(tmp_path)
    assert style.read_text() == "@import url(own.css);p{}"


@pytest.mark.parametrize("name", ["ada", " Ada@Example.org", "7of9", "a.b-c_d+e"])
def test_logins(name: str) -> None:
    assert argilla.login(name) == name.strip().lower()


@pytest.mark.parametrize("name", ["", "a b", "@a", "a/b", "é", "a" * 101])
def test_what_is_no_login(name: str) -> None:
    with pytest.raises(ServerError, match="cannot be an account"):
        argilla.login(name)


def test_another_version_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inside, "version", lambda name: "2.9.0")
    with pytest.raises(SystemExit, match=r"argilla-server 2\.9\.0; curate can only run 2\.8\.0"):
        inside.check_version()


def test_the_lock_pins_what_the_patches_are_made_for() -> None:
    lock = (Path(argilla.__file__).parent / "requirements.lock").read_text(encoding="utf-8")
    assert f"argilla-server=={inside.VERSION} " in lock
    lines = [line for line in lock.splitlines() if line and not line.startswith(" ")]
    assert all("==" in line and line.endswith("\\") for line in lines)
    assert lock.count("--hash=sha256:") >= len(lines)
    assert "://" not in lock


@pytest.mark.parametrize(
    ("method", "path", "times"),
    [
        ("DELETE", "/api/v1/datasets/7/records", 1),
        ("DELETE", "/api/v1/datasets/7", 1),
        ("DELETE", "/api/v1/records/7", 1),
        ("DELETE", "/api/v1/responses/7", 0),
        ("GET", "/api/v1/records/7", 0),
    ],
)
def test_a_deletion_is_answered_once_the_texts_are_gone(method: str, path: str, times: int) -> None:
    order: list[str] = []

    async def send(message: Any) -> None:
        order.append(message["type"])

    scope = {"type": "http", "method": method, "path": path, "headers": [(b"host", b"localhost")]}
    guarded = guard.Guard(Behind(), "policy", lambda: order.append("forgotten"))
    asyncio.run(guarded(scope, None, send))  # type: ignore[arg-type]
    assert order == ["forgotten"] * times + ["http.response.start", "http.response.body"]
