"""A project that was renamed is still the round's; one of another birth is not. No server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from curate.backends.label_studio.backend import LabelStudioBackend
from curate.errors import ProjectMismatch
from curate.records import Project
from tests.backends.contract import TOPIC

BORN = "2026-11-24T12:00:00.123456+00:00"


@contextmanager
def project_of_a_server(status: int = 200) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the address of a server with one project, and the project."""
    stored = {"id": 7, "title": "mine now", "created_at": BORN, "label_config": TOPIC.xml}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(stored).encode()
            self.send_response(status if self.command == "PATCH" else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_PATCH(self) -> None:
            change = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if status == 200:
                stored.update(change)
            self.do_GET()

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", stored
        finally:
            server.shutdown()
            thread.join()


def ours(born: str) -> Project:
    return Project("label_studio", "", "news-r01", "7", TOPIC, 1, "", born)


@pytest.mark.parametrize(("status", "title"), [(200, "news-r01"), (403, "mine now")])
def test_a_renamed_project_is_the_rounds_and_gets_its_name_back(status: int, title: str) -> None:
    with project_of_a_server(status) as (url, stored):
        project = LabelStudioBackend(url, "0" * 40).open_project(ours(BORN))
        assert not project.altered
        assert stored["title"] == title


@pytest.mark.parametrize("born", ["", "2026-11-24T12:00:00.123457+00:00"])
def test_a_project_of_another_birth_or_none_is_not_the_rounds(born: str) -> None:
    with project_of_a_server() as (url, stored):
        with pytest.raises(ProjectMismatch):
            LabelStudioBackend(url, "0" * 40).open_project(ours(born))
        assert stored["title"] == "mine now"
