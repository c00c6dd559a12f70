"""The laws on a real Argilla, and what is particular to it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from curate.backends import argilla, argilla_client
from curate.backends.argilla import ArgillaBackend
from curate.backends.argilla_text import restored
from curate.backends.argilla_values import write_values
from curate.records import Project
from curate.servers import Home
from curate.servers import argilla as server
from tests.backends.contract import Laws
from tests.servers import running_argilla

pytestmark = pytest.mark.live


class ArgillaHands:
    """Acts through the API with each person's own key, as the browser does."""

    accounts = ("ann", "bob", "cy")
    inexpressible = ("pair",)
    numbers = itertools.count(1)

    def __init__(self, home: Home) -> None:
        running = server.status(home)
        assert running is not None
        self.url = running.url
        self.key = server.curator(home).token
        self.keys = {account.email: account.token for account in server.accounts(home)}
        self.backend = ArgillaBackend(self.url, self.key)
        self.admitted: set[str] = set()

    def name(self) -> str:
        return f"contract-0000abcd-r{next(self.numbers):02}"

    def call(self, account: str, method: str, path: str, body: Any = None) -> Any:
        """Return what the server answers a person."""
        headers = {"X-Argilla-Api-Key": self.keys.get(account, self.key)}
        url = f"{self.url}/api/v1/{path}"
        response = httpx.request(method, url, headers=headers, json=body, timeout=30)
        assert response.is_success, response.text[:500]
        return response.json() if response.content else None

    def answer(self, project: Project, id: str, account: str, values: Mapping[str, Any]) -> None:
        texts = {name: restored(text) for name, text in self.record(project, id)["fields"].items()}
        self.respond(project, id, account, "submitted", write_values(project.form, values, texts))

    def skip(self, project: Project, id: str, account: str) -> None:
        self.respond(project, id, account, "discarded", None)

    def respond(self, project: Project, id: str, account: str, status: str, values: Any) -> None:
        """Submit, discard or save a draft, as the page does."""
        if project.key not in self.admitted:
            self.backend.admit(project, self.accounts)
            self.admitted.add(project.key)
        record = self.record(project, id)["id"]
        item = {"record_id": record, "status": status, "values": values}
        (done,) = self.call(account, "POST", "me/responses/bulk", {"items": [item]})["items"]
        assert done["error"] is None, done["error"]

    def delete(self, project: Project, id: str, account: str) -> None:
        mine = self.call(account, "GET", "me")["id"]
        for response in self.record(project, id)["responses"]:
            if response["user_id"] == mine:
                self.call(account, "DELETE", f"responses/{response['id']}")

    def stored(self, project: Project) -> list[tuple[str, dict[str, str]]]:
        self.backend.admit(project, self.accounts)
        path = f"me/datasets/{project.key}/records/search?limit=1000"
        rows = [each["record"] for each in self.call(self.accounts[0], "POST", path, {})["items"]]
        return [
            (row["external_id"], {name: restored(text) for name, text in row["fields"].items()})
            for row in rows
        ]

    def lose(self, project: Project) -> None:
        self.call("", "DELETE", f"datasets/{project.key}")

    def make_pages_small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(argilla_client, "PAGE", 7)
        monkeypatch.setattr(argilla, "BATCH", 6)

    def records(self, project: Project) -> list[Any]:
        """Return every record as the owner sees it."""
        path = f"datasets/{project.key}/records?limit=1000&include=responses,suggestions"
        return list(self.call("", "GET", path)["items"])

    def record(self, project: Project, id: str) -> Any:
        """Return one record."""
        (found,) = [each for each in self.records(project) if each["external_id"] == id]
        return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with running_argilla(tmp_path_factory.mktemp("home")) as home:
        yield home


@pytest.fixture
def hands(home: Home) -> ArgillaHands:
    return ArgillaHands(home)


class TestArgilla(Laws):
    """Every law holds on a real server."""
