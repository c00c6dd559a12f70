"""A network that breaks requests to Argilla: what reads is sent again, what writes is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from curate.backends.argilla import client
from curate.backends.argilla.client import Client
from curate.errors import BackendUnavailable

FAULTS = ("cut", "hang up", "502", "503", "504")


@contextmanager
def faulty(faults: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the address of a server that first has these faults, and the requests it got."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def respond(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            seen.append(self.command)
            fault = faults[len(seen) - 1] if len(seen) <= len(faults) else "none"
            self.close_connection = True
            if fault == "hang up":
                return
            body = json.dumps({"items": [1, 2, 3]}).encode()
            self.send_response(int(fault) if fault.isdigit() else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:5] if fault == "cut" else body)

        do_GET = do_POST = do_PUT = do_DELETE = respond

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", seen
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that are waited, without waiting."""
    waited: list[float] = []
    monkeypatch.setattr(client.time, "sleep", waited.append)
    return waited


@pytest.mark.parametrize("fault", FAULTS)
def test_what_reads_is_sent_again(fault: str, waits: list[float]) -> None:
    with faulty([fault, fault]) as (url, seen):
        assert Client(url, "key").request("GET", "datasets/1/questions") == {"items": [1, 2, 3]}
    assert seen == ["GET"] * 3
    assert waits == [0.2, 1.0]


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_always_broken_is_unavailable_in_the_end(fault: str) -> None:
    with faulty([fault] * 9) as (url, seen), pytest.raises(BackendUnavailable):
        Client(url, "key").request("GET", "datasets/1/questions")
    assert seen == ["GET"] * 3


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("fault", FAULTS)
def test_what_writes_is_sent_once(method: str, fault: str) -> None:
    with faulty([fault]) as (url, seen), pytest.raises(BackendUnavailable):
        Client(url, "key").request(method, "datasets/1/fields", body={"name": "a"})
    assert seen == [method]
