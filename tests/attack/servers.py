"""What an annotator's account may try on the embedded servers; all of it must be refused.

The servers start in the folder given, one after the other, and stop when their tries are over.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from curate.backends.label_studio.backend import LabelStudioBackend
from curate.backends.label_studio.values import write_items
from curate.forms import load_form
from curate.records import Project, Task
from curate.servers.argilla import server as argilla
from curate.servers.label_studio import server as label_studio
from tests.argilla import Caller, Dataset
from tests.servers import running_argilla, running_label_studio

Try = tuple[str, Callable[[], str | None]]

CATASTROPHIC = "(x+x+)+y"
SECRET = "zyxwvutsrqponm"
PATIENCE = 5.0
"""Seconds in which a refusal must come; on a busy machine, so many times a request of a second."""


def tries(folder: Path) -> Iterator[Try]:
    """Yield a name and a call that returns None if the server held, else what went wrong."""
    with running_label_studio(folder / "label_studio") as home:
        running = label_studio.status(home)
        assert running is not None
        ann, bob, *_ = label_studio.accounts(home)
        for url, place in ((running.url, ""), (running.bulk, " (bulk)")):
            scene = Scene(url, label_studio.curator(home).token, ann.token, bob.token)
            for name, request in scene.attacks():
                yield f"label_studio: {name}{place}", scene.refused(*request)
            yield f"label_studio: everyday work{place}", scene.works
            yield f"label_studio: nothing has changed{place}", scene.is_unharmed
    yield from argilla_tries(folder)


def argilla_tries(folder: Path) -> Iterator[Try]:
    """Yield the tries on Argilla, which has roles of its own."""
    with running_argilla(folder / "argilla") as home:
        data = Dataset(home, min_submitted=2)
        data.log(*({"external_id": f"t{n}", "fields": {"text": f"{SECRET}{n}"}} for n in (1, 2)))
        data.answer("bob", "t1", sentiment="positive")
        data.answer("ann", "t1", sentiment="negative")
        ann, first = data.people["ann"], data.records()["t1"]
        (theirs,) = (response for response in first["responses"] if response["user_id"] != _me(ann))
        record = f"/records/{first['id']}"
        item = {"status": "submitted", "values": {"sentiment": {"value": "negative"}}}
        for name, method, path, body in (
            ("read all answers", "GET", f"{data.path}/records?include=responses", None),
            ("change another's answer", "PUT", f"/responses/{theirs['id']}", item),
            ("delete another's answer", "DELETE", f"/responses/{theirs['id']}", None),
            ("edit a text", "PATCH", record, {"fields": {"text": "another"}}),
            ("delete a text", "DELETE", record, None),
            ("delete the dataset", "DELETE", data.path, None),
            ("change the dataset", "PATCH", data.path, {"guidelines": "say yes"}),
            *_of_owners(data, record),
            ("list the users", "GET", "/users", None),
            ("make a user", "POST", "/users", {"username": "new", "password": "12345678"}),
            ("make a dataset", "POST", "/datasets", {"name": "mine", "workspace_id": data.id}),
        ):
            yield f"argilla: {name}", _refused(ann, method, path, body)
        for place, value in (("response", "positive"), ("response", "negative")):
            yield (
                f"argilla: find what others answered {value}",
                partial(_finds_own, ann, data, {"entity": place, "question": "sentiment"}, value),
            )
        yield "argilla: see others' answers by one record", lambda: _own_only(ann, record)
        files = argilla.SERVER.root(home) / "data"
        yield "argilla: a deleted text stays in no file", lambda: _erased(data, files)


def _of_owners(data: Dataset, record: str) -> Iterator[tuple[str, str, str, Any]]:
    """Yield what only an owner may ask of Argilla: a name, a method, a path and a body."""
    me, one = _me(data.people["ann"]), str(uuid4())
    question, field = (
        data.owner("GET", f"{data.path}/{name}")["items"][0]["id"]
        for name in ("questions", "fields")
    )
    suggestion = {"question_id": question, "value": "negative"}
    for method, path, body in (
        ("GET", f"/users/{me}", None),
        ("PATCH", f"/users/{me}", {"role": "owner"}),
        ("DELETE", f"/users/{me}", None),
        ("GET", f"/users/{me}/workspaces", None),
        ("POST", "/workspaces", {"name": "mine"}),
        ("DELETE", f"/workspaces/{data.id}", None),
        ("POST", f"/workspaces/{data.id}/users", {"user_id": me}),
        ("DELETE", f"/workspaces/{data.id}/users/{me}", None),
        ("PUT", f"{record}/suggestions", suggestion),
        ("DELETE", f"{record}/suggestions?ids={one}", None),
        ("DELETE", f"/suggestions/{one}", None),
        ("PATCH", f"/questions/{question}", {"title": "another"}),
        ("DELETE", f"/questions/{question}", None),
        ("PATCH", f"/fields/{field}", {"title": "another"}),
        ("DELETE", f"/fields/{field}", None),
        ("POST", f"{data.path}/fields", {"name": "a", "title": "A", "settings": {"type": "text"}}),
        ("POST", f"{data.path}/metadata-properties", {"name": "a", "title": "A"}),
        ("POST", f"{data.path}/vectors-settings", {"name": "a", "title": "A", "dimensions": 2}),
        ("PUT", f"{data.path}/publish", {}),
        ("POST", f"{data.path}/records/bulk", {"items": [{"fields": {"text": "new"}}]}),
        ("PUT", f"{data.path}/records/bulk", {"items": [{"fields": {"text": "new"}}]}),
        ("DELETE", f"{data.path}/records?ids={one}", None),
        ("POST", f"{data.path}/records/search", {}),
        ("GET", f"/jobs/{one}", None),
        ("GET", "/webhooks", None),
    ):
        yield f"{method} {path.replace(me, 'ME').replace(one, 'ID')}", method, path, body


def _finds_own(caller: Caller, data: Dataset, scope: dict[str, str], value: str) -> str | None:
    """What is wrong if a search by a value of responses finds what others answered so."""
    condition = {"type": "terms", "scope": scope, "values": [value]}
    query = {"filters": {"type": "and", "and": [condition]}}
    answer = caller.call("POST", f"/me{data.path}/records/search", json=query)
    if answer.status_code != 200:
        return None if answer.status_code in (403, 422) else f"HTTP {answer.status_code}"
    own = [item["record"]["external_id"] for item in answer.json()["items"]]
    return None if own == (["t1"] if value == "negative" else []) else f"finds {own}"


def _me(caller: Caller) -> str:
    return str(caller("GET", "/me")["id"])


def _refused(caller: Caller, method: str, path: str, body: Any) -> Callable[[], str | None]:
    def attempt() -> str | None:
        answer = caller.call(method, path, json=body)
        refused = answer.status_code in (401, 403, 404, 405, 422)
        return None if refused else f"HTTP {answer.status_code}: {answer.text[:120]}"

    return attempt


def _own_only(caller: Caller, record: str) -> str | None:
    people = {response["user_id"] for response in caller("GET", record)["responses"]}
    return None if people == {_me(caller)} else f"shows the answers of {len(people)} people"


def _erased(data: Dataset, files: Path) -> str | None:
    data.found(SECRET + "1")  # the index has its words
    ids = ",".join(record["id"] for record in data.records().values())
    data.owner("DELETE", f"{data.path}/records", params={"ids": ids})
    names = [
        path.name
        for path in files.rglob("*")
        if path.is_file() and SECRET.encode() in path.read_bytes()
    ]
    return f"it is still in {', '.join(names)}" if names else None


Request = tuple[str, str, Any]


class Scene:
    """A project of two tasks; Bob has answered the first, and Ann attacks."""

    def __init__(self, url: str, curator: str, ann: str, bob: str) -> None:
        self.url, self.curator, self.ann, self.bob = url, curator, ann, bob
        form = load_form("sentiment")
        backend = LabelStudioBackend(url, curator)
        name = f"attack-{time.time_ns()}-r01"
        self.project: Project = backend.ensure_project(name, form, overlap=3, guidelines="")
        tasks = [Task("t1", {"text": "x" * 40}), Task("t2", {"text": "two"})]
        assert len(list(backend.push(self.project, tasks))) == 2
        self.tasks = [key for key, _ in backend.client.records(self.project.key)]
        self.body = {"result": write_items(form, "sentiment", "positive"), "lead_time": 1.0}
        path = f"tasks/{self.tasks[0]}/annotations/"
        self.answer = self.call(bob, "POST", path, self.body).json()["id"]
        self.me = self.call(ann, "GET", "current-user/whoami").json()["id"]
        self.users = {
            user["id"]: user["email"] for user in self.call(curator, "GET", "users/").json()
        }
        self.before = self._state()

    def call(self, token: str, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"Authorization": f"Token {token}"}
        place = f"{self.url}/api/{path}"
        return httpx.request(method, place, headers=headers, json=body, timeout=300)

    def attacks(self) -> Iterator[tuple[str, Request]]:
        """Yield the name and the request of each attack."""
        project, (first, second) = self.project.key, self.tasks
        other = next(user for user in self.users if user != self.me)
        organization = self.call(self.curator, "GET", "organizations/").json()[0]["id"]
        tokens = {"legacy_api_tokens_enabled": False, "api_tokens_enabled": False}
        yield "switch tokens off", ("POST", "jwt/settings", tokens)
        yield "read the invite link", ("GET", "invite", None)
        yield "renew the invite link", ("POST", "invite/reset-token", {})
        yield (
            "make a user",
            ("POST", "users/", {"email": "new@example.org", "password": "12345678"}),
        )
        yield "rename the curator", ("PATCH", f"users/{other}/", {"first_name": "Mallory"})
        yield "delete a user", ("DELETE", f"users/{other}/", None)
        yield "rename the organization", ("PATCH", f"organizations/{organization}", {"title": "x"})
        member = f"organizations/{organization}/memberships/{other}/"
        yield "end a membership", ("DELETE", member, None)
        yield "make a project", ("POST", "projects/", {"title": "mine"})
        place = f"projects/{project}/"
        for name, body in {
            "rename the project": {"title": "mine"},
            "change the form": {"label_config": "<View><Text name='a' value='$a'/></View>"},
            "change the overlap": {"maximum_annotations": 1},
            "change the instructions": {"expert_instruction": "say yes"},
        }.items():
            yield name, ("PATCH", place, body)
        yield "delete the project", ("DELETE", place, None)
        yield "delete all tasks", ("DELETE", f"projects/{project}/tasks/", None)
        yield "import tasks", ("POST", f"projects/{project}/import", [{"data": {"text": "new"}}])
        yield "edit a text", ("PATCH", f"tasks/{second}/", {"data": {"text": "another"}})
        yield "swap a record", ("PATCH", f"tasks/{second}/", {"data": {"record_id": "t1"}})
        yield "delete a task", ("DELETE", f"tasks/{second}/", None)
        for action in ("delete_tasks", "delete_tasks_annotations"):
            body = {"project": int(project), "selectedItems": {"all": True, "excluded": []}}
            yield action, ("POST", f"dm/actions?id={action}&project={project}", body)
        forged = {**self.body, "completed_by": other}
        yield "answer in another's name", ("POST", f"tasks/{second}/annotations/", forged)
        yield "change another's answer", ("PATCH", f"annotations/{self.answer}/", self.body)
        yield "put another's answer", ("PUT", f"annotations/{self.answer}/", self.body)
        yield "delete another's answer", ("DELETE", f"annotations/{self.answer}/", None)
        convert = f"annotations/{self.answer}/convert-to-draft"
        yield "make another's answer a draft", ("POST", convert, {})
        mine = self.call(self.ann, "POST", f"tasks/{second}/annotations/", self.body).json()["id"]
        for name, body in {
            "move an answer to another task": {"task": int(first)},
            "sign an answer as another": {"updated_by": other},
            "move an answer to another project": {"project": int(project) + 1},
        }.items():
            yield name, ("PATCH", f"annotations/{mine}/", body)
        draft = self.call(self.ann, "POST", f"tasks/{second}/drafts", self.body).json()["id"]
        stolen = {"annotation": self.answer}
        yield "hang a draft on another's answer", ("PATCH", f"drafts/{draft}/", stolen)
        place = f"tasks/{first}/annotations/{self.answer}/drafts"
        yield "begin a draft of another's answer", ("POST", place, self.body)
        place = f"tasks/{second}/annotations/{self.answer}/drafts"
        yield "begin a draft of another's answer elsewhere", ("POST", place, self.body)
        place = f"tasks/{first}/annotations/{mine}/drafts"
        yield "begin a draft of an answer to another task", ("POST", place, self.body)
        for method, path in self._paths(int(project)):
            yield f"{method} {path}", (method, path, None if method == "GET" else {})
        yield "forge a suggestion", ("POST", "predictions/", {"task": first, "result": []})
        yield "add a webhook", ("POST", "webhooks/", {"url": "http://127.0.0.1:1"})
        yield from self._queries(int(project))

    def _paths(self, project: int) -> Iterator[tuple[str, str]]:
        """Yield the method and the path of requests that are refused whatever they hold."""
        first, second = self.tasks
        yield from (
            ("GET", "../samples/time-series.csv?time=0&values=2000000"),
            ("GET", "../x/samples/time-series.csv?time=0&values=2000000"),
            ("GET", "../docs/api/schema/"),
            ("GET", "../heidi-tips/"),
            ("GET", "../trigger500/"),
            ("GET", "../feature-flags/"),
            ("GET", "../admin/"),
            ("GET", "../django-rq/"),
            ("GET", "../data/local-files/?d=etc/hostname"),
            ("POST", "projects/validate/"),
            ("POST", f"projects/{project}/validate/"),
            ("POST", f"projects/{project}/summary/reset/"),
            ("POST", f"projects/{project}/sample-task/"),
            ("POST", f"projects/{project}/tasks/bulk/"),
            ("GET", f"projects/{project}/file-uploads"),
            ("GET", f"projects/{project}/export"),
            ("GET", f"projects/{project}/export/formats"),
            ("GET", f"projects/{project}/exports/"),
            ("POST", f"projects/{project}/exports/"),
            ("GET", "templates/"),
            ("GET", "ml/1"),
            ("POST", "ml/"),
            ("GET", "webhooks/"),
            ("GET", "webhooks/info/"),
            ("GET", "storages/types"),
            ("POST", "storages/localfiles"),
            ("POST", "labels/bulk"),
            ("POST", "labels/"),
            ("POST", "dm/views/order/"),
            ("DELETE", "dm/views/reset/"),
            ("GET", f"fsm/entities/task/{first}/history"),
            ("POST", f"fsm/entities/task/{first}/transition/"),
            ("POST", "session-policy/"),
            ("POST", "current-user/reset-token/"),
            ("POST", "token/rotate/"),
            ("GET", "jwt/settings"),
            ("GET", "auth/export/"),
            ("POST", f"projects/{project}/import/predictions"),
            ("POST", f"projects/{project}/reimport"),
            ("DELETE", "import/file-upload/1"),
            ("POST", f"projects/{project}/exports/1/convert"),
            ("DELETE", f"projects/{project}/exports/1"),
            ("GET", f"projects/{project}/export/files"),
            ("PATCH", "predictions/1/"),
            ("DELETE", "predictions/1/"),
            ("POST", "tasks/"),
            ("PUT", f"tasks/{second}/"),
            ("POST", "ml/1/train"),
            ("POST", "ml/1/interactive-annotating"),
            ("POST", "storages/localfiles/1/sync"),
            ("POST", "storages/export/localfiles"),
            ("POST", "token/blacklist/"),
            ("PUT", f"users/{self.me}/"),
            ("PATCH", f"users/{self.me}/"),
            ("POST", f"users/{self.me}/avatar/"),
            ("DELETE", f"dm/actions?id=delete_tasks&project={project}"),
            ("POST", f"dm/actions?id=predictions_to_annotations&project={project}"),
            ("POST", f"dm/actions?id=retrieve_tasks_predictions&project={project}"),
            ("POST", f"dm/actions?id=remove_duplicates&project={project}"),
            ("POST", f"dm/actions?id=next_task&id=cache_labels&project={project}"),
            ("GET", "../storage-data/uploaded/?filepath=../../secrets.json"),
            ("GET", f"../tasks/{first}/resolve/?fileuri=ZmlsZTovLy9ldGMvaG9zdG5hbWU="),
            ("GET", "../static/..%2f..%2fsecrets.json"),
            ("GET", "../data/avatars/..%2f..%2fsecrets.json"),
        )

    def _queries(self, project: int) -> Iterator[tuple[str, Request]]:
        """Yield requests that make the database work for long, or look into other tables."""
        for column, operator in (("data.text", "regex"), ("data.text__regex", "equal")):
            condition = {
                "filter": f"filter:tasks:{column}",
                "operator": operator,
                "type": "String",
                "value": CATASTROPHIC,
            }
            filters = {"conjunction": "and", "items": [condition]}
            query = json.dumps({"filters": filters})
            path = str(httpx.URL("tasks", params={"project": project, "query": query}))
            yield f"stop the server by {column} {operator}", ("GET", path, None)
            view = {"project": project, "data": {"filters": filters}}
            yield f"store a tab of {column} {operator}", ("POST", "dm/views/", view)
            group = {**condition, "column": condition["filter"]}
            view = {"project": project, "filter_group": {"conjunction": "and", "filters": [group]}}
            yield f"store a group of {column} {operator}", ("POST", "dm/views/", view)
            listing = {"project": project, "filters": filters}
            yield (
                f"read by {column} {operator} in a body",
                ("GET", f"tasks?project={project}", listing),
            )
        for column in ("updated_by__password", "-annotations__completed_by__auth_token__key"):
            query = json.dumps({"ordering": [f"tasks:{column}"]})
            path = str(httpx.URL("tasks", params={"project": project, "query": query}))
            yield f"sort by {column}", ("GET", path, None)
            view = {"project": project, "data": {"ordering": [f"tasks:{column}"]}}
            yield f"store a tab sorted by {column}", ("POST", "dm/views/", view)
        condition = {"filter": "filter:tasks:data.text", "operator": "contains"}
        many = [{**condition, "type": "String", "value": "x"}] * 3000
        listing = {"project": project, "filters": {"conjunction": "or", "items": many}}
        yield "read by 3,000 conditions", ("GET", f"tasks?project={project}", listing)

    def refused(self, method: str, path: str, body: Any) -> Callable[[], str | None]:
        """Return a try that holds if the server refuses the request, soon."""

        def attempt() -> str | None:
            usual = self.seconds("GET", "current-user/whoami")[1]
            answer, seconds = self.seconds(method, path, body)
            if answer.status_code not in (400, 401, 403, 404, 405)[not path.startswith("../") :]:
                return f"HTTP {answer.status_code}: {answer.text[:120]}"
            most = PATIENCE * max(1.0, usual)
            return f"refused after {seconds:.1f} s" if seconds > most else None

        return attempt

    def seconds(self, method: str, path: str, body: Any = None) -> tuple[httpx.Response, float]:
        """What the server says to Ann, and after how many seconds."""
        began = time.monotonic()
        answer = self.call(self.ann, method, path, body)
        return answer, time.monotonic() - began

    def works(self) -> str | None:
        """Whether Ann can label as the page does; says what she cannot."""
        project, task = self.project.key, self.tasks[1]
        made: dict[str, int] = {}
        answer = f"tasks/{task}/annotations/"
        for method, path, body in (
            ("GET", f"projects/{project}/next", None),
            ("GET", f"dm/project?project={project}", None),
            ("GET", f"dm/columns?project={project}", None),
            ("GET", f"dm/actions?project={project}", None),
            ("GET", f"dm/views?project={project}", None),
            ("POST", "dm/views/", {"project": int(project), "data": {"title": "mine"}}),
            ("GET", f"tasks?project={project}&page_size=10", None),
            ("POST", f"dm/actions?id=next_task&project={project}", {"project": int(project)}),
            ("POST", f"tasks/{task}/drafts", self.body),
            ("POST", answer, self.body),
            ("PATCH", "annotations/{id}/", self.body),
            ("POST", f"tasks/{task}/annotations/{{id}}/drafts", self.body),
            ("DELETE", "annotations/{id}/", None),
        ):
            said = self.call(self.ann, method, path.format(**made), body)
            if not said.is_success:
                return f"{method} {path} is refused: HTTP {said.status_code}"
            if path == answer:
                made = {"id": said.json()["id"]}
        return None

    def is_unharmed(self) -> str | None:
        """Say what has changed since the beginning."""
        now = self._state()
        changed = [name for name in self.before if self.before[name] != now[name]]
        return f"changed: {', '.join(changed)}" if changed else None

    def _state(self) -> Mapping[str, Any]:
        project = self.call(self.curator, "GET", f"projects/{self.project.key}/").json()
        names = (
            "title",
            "label_config",
            "maximum_annotations",
            "expert_instruction",
            "task_number",
        )
        task = self.call(self.curator, "GET", f"tasks/{self.tasks[1]}/").json()
        answer = self.call(self.curator, "GET", f"annotations/{self.answer}/").json()
        return {
            **{name: project[name] for name in names},
            "text": task["data"],
            "answer": (answer["result"], answer["completed_by"], answer["updated_by"]),
            "users": self.call(self.curator, "GET", "users/").json().__len__(),
            "projects": self.call(self.curator, "GET", "projects/?page_size=1").json()["count"],
        }
