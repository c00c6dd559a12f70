"""People who answer over HTTP as a browser does, each with their own key; no code of curate's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from weakref import finalize

import httpx

from tests.web import CONTEXT

Values = Mapping[str, Any]
"""Question → a choice, or spans as {start, end, label}."""


class LabelStudioPerson:
    """Somebody with an account on a Label Studio."""

    def __init__(self, url: str, key: str) -> None:
        headers = {"Authorization": f"Token {key}"}
        self.http = httpx.Client(
            base_url=url, headers=headers, timeout=120, trust_env=False, verify=CONTEXT
        )
        finalize(self, self.http.close)

    def tasks(self, project: str) -> dict[str, Any]:
        """Return our id → the server's of every task."""
        params: dict[str, Any] = {"project": project, "page_size": 1000, "fields": "all"}
        found, page = {}, 1
        while True:
            answer = self.http.get("/api/tasks/", params={**params, "page": page}).json()
            found |= {task["data"]["record_id"]: task["id"] for task in answer["tasks"]}
            if len(found) >= answer["total"]:
                return found
            page += 1

    def ids(self, project: str) -> list[str]:
        """Return our id of every task, as often as it is there."""
        params: dict[str, Any] = {"project": project, "page_size": 1000, "fields": "all"}
        found: list[str] = []
        while True:
            page = len(found) // 1000 + 1
            answer = self.http.get("/api/tasks/", params={**params, "page": page}).json()
            found += [task["data"]["record_id"] for task in answer["tasks"]]
            if len(found) >= answer["total"]:
                return found

    def remove(self, project: str) -> None:
        """Delete a project."""
        self.http.delete(f"/api/projects/{project}/").raise_for_status()

    def answer(self, project: str, task: Any, values: Values) -> None:
        """Submit answers to one task."""
        result = [item for name, value in values.items() for item in _results(name, value)]
        body = {"result": result, "lead_time": 6.0}
        self.http.post(f"/api/tasks/{task}/annotations/", json=body).raise_for_status()

    def next(self, project: str) -> str | None:
        """Return the id of the task that the page would show next, or None at the end."""
        answer = self.http.get(f"/api/projects/{project}/next/")
        return None if answer.status_code == 404 else str(answer.json()["data"]["record_id"])


def _results(name: str, value: Any) -> list[dict[str, Any]]:
    about = {"from_name": name, "to_name": "text"}
    if not isinstance(value, list):
        return [{**about, "type": "choices", "value": {"choices": [value]}}]
    return [
        {
            **about,
            "type": "labels",
            "value": {"start": each["start"], "end": each["end"], "labels": [each["label"]]},
        }
        for each in value
    ]


class ArgillaPerson:
    """Somebody with an account on an Argilla."""

    def __init__(self, url: str, key: str) -> None:
        headers = {"X-Argilla-Api-Key": key}
        base = f"{url}/api/v1"
        self.http = httpx.Client(
            base_url=base, headers=headers, timeout=120, trust_env=False, verify=CONTEXT
        )
        finalize(self, self.http.close)

    def _found(self, project: str, offset: int, filters: Any = None) -> Any:
        answer = self.http.post(
            f"/me/datasets/{project}/records/search",
            params={"limit": 1000, "offset": offset},
            json={"filters": filters} if filters else {},
        )
        return answer.raise_for_status().json()

    def tasks(self, project: str) -> dict[str, Any]:
        """Return our id → the server's of every record."""
        found: dict[str, Any] = {}
        while True:
            answer = self._found(project, len(found))
            found |= {r["record"]["external_id"]: r["record"]["id"] for r in answer["items"]}
            if len(found) >= answer["total"]:
                return found

    def ids(self, project: str) -> list[str]:
        """Return our id of every record, as often as it is there; for the curator."""
        found: list[str] = []
        while True:
            params = {"limit": 1000, "offset": len(found)}
            answer = self.http.get(f"/datasets/{project}/records", params=params).json()
            found += [record["external_id"] for record in answer["items"]]
            if len(found) >= answer["total"]:
                return found

    def remove(self, project: str) -> None:
        """Delete a dataset; for the curator."""
        self.http.delete(f"/datasets/{project}").raise_for_status()

    def answer(self, project: str, task: Any, values: Values) -> None:
        """Submit answers to one record."""
        item = {
            "record_id": task,
            "status": "submitted",
            "values": {name: {"value": value} for name, value in values.items()},
        }
        answer = self.http.post("/me/responses/bulk", json={"items": [item]}).raise_for_status()
        assert answer.json()["items"][0]["error"] is None, answer.text

    def next(self, project: str) -> str | None:
        """Return the id of a record that the page's queue would show, or None at the end."""
        pending = [
            {
                "type": "terms",
                "scope": {"entity": entity, "property": "status"},
                "values": ["pending"],
            }
            for entity in ("response", "record")
        ]
        items = self._found(project, 0, {"and": pending})["items"]
        return str(items[0]["record"]["external_id"]) if items else None


PERSON: dict[str, Callable[[str, str], Any]] = {
    "label_studio": LabelStudioPerson,
    "argilla": ArgillaPerson,
}


def answer_all(
    people: Mapping[str, Any], project: str, answers: Iterable[tuple[str, str, Values]]
) -> None:
    """Give (account, our id, values), all people at once."""
    planned = list(answers)
    tasks = next(iter(people.values())).tasks(project)

    def give(account: str) -> None:
        for who, id, values in planned:
            if who == account:
                people[account].answer(project, tasks[id], values)

    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(give, people))
