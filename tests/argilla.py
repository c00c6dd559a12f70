"""A dataset on the embedded Argilla, spoken to over HTTP by its curator and its people."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import httpx

from curate.servers import Account, Home
from curate.servers.argilla import server as argilla
from curate.servers.argilla.users import WORKSPACE
from tests import web


def choice(kind: str, name: str, *options: Any, required: bool = False, **more: Any) -> Any:
    """Return a question with options."""
    listed = [{"value": option, "text": str(option)} for option in options]
    settings = {"type": kind, "options": listed, **more}
    return {"name": name, "title": name.title(), "required": required, "settings": settings}


SENTIMENT = choice("label_selection", "sentiment", "positive", "negative", required=True)
TOPICS = choice("multi_label_selection", "topics", "code", "news", "sport")
QUALITY = choice("rating", "quality", 1, 2, 3, 4, 5)
ENTITIES = choice("span", "entities", "person", "place", field="text", allow_overlapping=True)


class Caller:
    """Somebody with an API key."""

    def __init__(self, home: Home, account: Account) -> None:
        server = argilla.status(home)
        assert server is not None
        self._url = f"{server.url}/api/v1"
        self.headers = {"X-Argilla-Api-Key": account.token}

    def call(self, method: str, path: str, **what: Any) -> httpx.Response:
        """Call the API, whatever it says."""
        what.setdefault("headers", self.headers)
        return web.request(method, self._url + path, timeout=300, **what)

    def __call__(self, method: str, path: str, **what: Any) -> Any:
        """Call the API; return what it says, which is no refusal."""
        answer = self.call(method, path, **what)
        assert answer.status_code < 300, (answer.status_code, answer.text)
        return answer.json() if answer.content else None


class Dataset:
    """A published dataset; `owner` is the curator, `people` the annotators by their names."""

    def __init__(
        self,
        home: Home,
        *,
        fields: Sequence[str] = ("text",),
        questions: Sequence[Any] = (SENTIMENT,),
        metadata: Mapping[str, str] | None = None,
        vectors: Mapping[str, int] | None = None,
        min_submitted: int = 1,
    ) -> None:
        self.owner = Caller(home, argilla.curator(home))
        self.people = {each.email: Caller(home, each) for each in argilla.accounts(home)}
        own = self.owner("GET", "/me/workspaces")["items"]  # each round has one too
        workspace = next(one for one in own if one["name"] == WORKSPACE)
        self.name = f"test-{uuid4().hex[:8]}"
        made = {
            "name": self.name,
            "workspace_id": workspace["id"],
            "distribution": {"strategy": "overlap", "min_submitted": min_submitted},
            "allow_extra_metadata": False,
        }
        self.id = self.owner("POST", "/datasets", json=made)["id"]
        self.path = f"/datasets/{self.id}"
        for name in fields:
            settings = {"type": "text", "use_markdown": False}
            self._add("fields", name, required=name == fields[0], settings=settings)
        for question in questions:
            self._add("questions", **question)
        for name, kind in (metadata or {}).items():
            self._add("metadata-properties", name, settings={"type": kind})
        for name, dimensions in (vectors or {}).items():
            self._add("vectors-settings", name, dimensions=dimensions)
        self.owner("PUT", f"{self.path}/publish")
        asked = self.owner("GET", f"{self.path}/questions")["items"]
        self.questions = {question["name"]: question["id"] for question in asked}

    def _add(self, what: str, name: str, **more: Any) -> None:
        body = {"name": name, "title": name, **more}
        self.owner("POST", f"{self.path}/{what}", json=body)

    def log(self, *records: Any) -> None:
        """Store records, texts escaped as curate's own client escapes them."""
        items = [
            {**each, "fields": {name: html.escape(text) for name, text in each["fields"].items()}}
            for each in records
        ]
        self.owner("PUT", f"{self.path}/records/bulk", json={"items": items})

    def records(self) -> dict[str, Any]:
        """Return every record by its external id."""
        params = {"limit": 1000, "include": "responses"}
        found = self.owner("GET", f"{self.path}/records", params=params)
        return {record["external_id"]: record for record in found["items"]}

    def answer(self, person: str, record: str, status: str = "submitted", **values: Any) -> None:
        """Let a person answer a record's questions."""
        item = {
            "record_id": self.records()[record]["id"],
            "status": status,
            "values": {name: {"value": value} for name, value in values.items()},
        }
        done = self.people[person]("POST", "/me/responses/bulk", json={"items": [item]})
        assert done["items"][0]["error"] is None, done

    def find(
        self,
        text: str | None = None,
        *filters: Any,
        by: str | None = None,
        field: str | None = None,
        sort: Sequence[Any] = (),
        vector: Any = None,
        **page: int,
    ) -> Any:
        """Search as the curator, or `by` one of the people; return items and total."""
        query: dict[str, Any] = {}
        if text is not None:
            query["text"] = {"q": text, "field": field}
        if vector is not None:
            query["vector"] = vector
        body: dict[str, Any] = {"query": query} if query else {}
        if filters:
            body["filters"] = {"and": list(filters)}
        if sort:
            body["sort"] = [{"scope": scope, "order": order} for scope, order in sort]
        caller, prefix = (self.people[by], "/me") if by else (self.owner, "")
        params = {"limit": 1000, **page}
        path = f"{prefix}{self.path}/records/search"
        return caller("POST", path, json=body, params=params)

    def found(self, *query: Any, **how: Any) -> list[str]:
        """Return the external ids that a search finds, in order."""
        return [item["record"]["external_id"] for item in self.find(*query, **how)["items"]]


def among(scope: Any, *values: Any) -> Any:
    """Return a filter: is one of these."""
    return {"type": "terms", "scope": scope, "values": list(values)}


def between(scope: Any, **ends: Any) -> Any:
    """Return a filter: at least `ge`, at most `le`."""
    return {"type": "range", "scope": scope, **ends}


def of_record(name: str) -> Any:
    """Return the scope of a record's own property."""
    return {"entity": "record", "property": name}


def of_metadata(name: str) -> Any:
    """Return the scope of a metadata property."""
    return {"entity": "metadata", "metadata_property": name}


def of_suggestion(question: str, part: str = "value") -> Any:
    """Return the scope of a part of a question's suggestion."""
    return {"entity": "suggestion", "question": question, "property": part}


def of_response(question: str) -> Any:
    """Return the scope of the answers to a question."""
    return {"entity": "response", "question": question}


STATUS = {"entity": "response", "property": "status"}
