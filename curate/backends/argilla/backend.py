"""Argilla as a backend: a round is a dataset in a workspace of its own, a record carries our id.

Who is admitted to the workspace sees the dataset, and nobody else does but the server's owners. A
record's `external_id` is the task's id and is unique, so that sending one twice is sending it
once, and a request whose answer was lost may be repeated. What Argilla's page calls a discard is a
skip here: both use a person up for a task. Texts always go through `argilla_text`, on any server.

What a pull costs: the server cannot say which answers are new (a record's `updated_at` stands
still, and its search engine lags). So if anybody has answered since the last pull, all records are
read again, about a thousand in half a second; if nobody has, three small requests.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from curate.backends.argilla.answers import Answers
from curate.backends.argilla.client import (
    Client,
    Conflict,
    NotFound,
    external_id,
    time_of,
    well_formed,
)
from curate.backends.argilla.form import check, guide, same, settings, slug
from curate.backends.argilla.records import characters, record, refuse_own_overlap, texts
from curate.backends.argilla.values import write_response
from curate.backends.backend import refuse_strangers
from curate.backends.pace import Pace, in_batches
from curate.errors import (
    BackendError,
    BackendUnavailable,
    DataError,
    ProjectMismatch,
)
from curate.records import (
    Annotation,
    Form,
    Key,
    Progress,
    Project,
    Pulled,
    Server,
    Task,
)

EVERYONE = 1000
"""The overlap that asks everyone: a record leaves all queues when as many have submitted."""

GUIDELINES = 10_000
"""How many characters of guidelines a dataset holds."""

FIRST, MOST = 100, 500
"""How many records go at first, and how many the server takes at once."""

ERASED_AT_ONCE = 50
"""The server takes up to 100 ids in one address."""


class ArgillaBackend:
    """An Argilla server, embedded or not; the key is an owner's.

    `bulk` is where it may be asked for much without keeping people waiting, if there is such a
    place.
    """

    name = "argilla"

    def __init__(
        self, url: str, api_key: str, *, bulk: str = "", accept_withdrawals: bool = False
    ) -> None:
        self.client = Client(url, api_key, bulk)
        self.accept_withdrawals = accept_withdrawals

    def ping(self) -> Server:
        version = self.client.request("GET", "version")
        with well_formed():
            return Server(self.name, self.client.url, version["version"], self._me())

    def _me(self) -> str:
        user = self.client.request("GET", "me")
        with well_formed():
            return str(user["username"])

    # ── projects

    def ensure_project(
        self, name: str, form: Form, *, overlap: int | None, guidelines: str
    ) -> Project:
        check(form)
        guidelines = guide(guidelines)
        if len(guidelines) > GUIDELINES:
            raise DataError(
                f"the guidelines have {len(guidelines):,} characters, Argilla holds {GUIDELINES:,}",
                hint="shorten them, or link to a longer text",
            )
        workspace = self._workspace(slug(name))
        key = self._find(workspace, slug(name))
        if key is None:
            key = self._create(workspace, name, form, overlap, guidelines)
        project = Project(self.name, self.client.url, name, key, form, overlap, "")
        return self._with_overlap(self.open_project(project))

    def open_project(self, project: Project) -> Project:
        """Return the project, with the address where people label, if it is still the one given.

        It is known by id, name, time of creation and form; the server's address may change.
        """
        try:
            found = self.client.dataset(project.key)
        except NotFound:
            raise self._mismatch(project, "is gone from") from None
        with well_formed():
            mark = (found.get("metadata") or {}).get("curate") or {}
            born = time_of(found["inserted_at"])
            if found["name"] != slug(project.name) or project.born not in ("", born):
                raise self._mismatch(project, "is not the project of that id on")
        if mark.get("form") != project.form.digest or not self._asks(project):
            raise ProjectMismatch(
                f"{project.name} asks other questions on {self.client.url}",
                hint="a changed form acts on the next round: `curate run --next-round`",
            )
        url = f"{self.client.url}/dataset/{project.key}/annotation-mode"
        return replace(project, server=self.client.url, url=url, born=born)

    def _asks(self, project: Project) -> bool:
        """Whether the dataset shows and asks what the form says."""
        for name, wanted in settings(project.form).items():
            found = self.client.request("GET", f"datasets/{project.key}/{name}")
            with well_formed():
                theirs = {each["name"]: each for each in found["items"]}
            if not same({each["name"]: each for each in wanted}, theirs):
                return False
            if len(theirs) != len(wanted):
                return False
        return True

    def _with_overlap(self, project: Project) -> Project:
        """See that the project asks as many people as it should: not so if an earlier try did."""
        wanted = {"strategy": "overlap", "min_submitted": project.overlap or EVERYONE}
        if self.client.dataset(project.key).get("distribution") != wanted:
            path = f"datasets/{project.key}"
            try:
                self.client.request("PATCH", path, body={"distribution": wanted})
            except BackendUnavailable:  # a server that cannot queue jobs changes it and says 500
                if self.client.dataset(project.key).get("distribution") != wanted:
                    raise
        return project

    def _mismatch(self, project: Project, what: str) -> ProjectMismatch:
        return ProjectMismatch(
            f"{project.name} {what} {self.client.url}",
            hint="see that ARGILLA_API_URL names the round's server; if it was lost, "
            "`curate push --restore` brings it back with the answers at home",
        )

    def _workspace(self, name: str) -> str:
        """Return the id of the workspace of that name; make it if there is none."""
        with self.client.translated():
            workspaces = self.client.sdk.api.workspaces
            found = workspaces.get_by_name(name)
        if found is None:
            try:
                return str(self.client.request("POST", "workspaces", body={"name": name})["id"])
            except Conflict:  # made by somebody else this moment
                with self.client.translated():
                    found = workspaces.get_by_name(name)
        return str(found.id)

    def _find(self, workspace: str, name: str) -> str | None:
        """Return the id of the dataset of that name; one that was never finished is removed."""
        params = {"workspace_id": workspace, "name": name}
        found = self.client.request("GET", "me/datasets", params)
        with well_formed():
            keys = {each["id"]: each["status"] for each in found["items"] if each["name"] == name}
        for key, status in keys.items():
            if status == "ready":
                return str(key)
            self.client.request("DELETE", f"datasets/{key}")
        return None

    def _create(
        self, workspace: str, name: str, form: Form, overlap: int | None, guidelines: str
    ) -> str:
        """Make a dataset; until it is published nobody sees it, and the next try removes it."""
        body = {
            "name": slug(name),
            "workspace_id": workspace,
            "guidelines": guidelines or None,
            "allow_extra_metadata": False,
            "distribution": {"strategy": "overlap", "min_submitted": overlap or EVERYONE},
            "metadata": {"curate": {"form": form.digest}},
        }
        made = self.client.request("POST", "datasets", body=body)
        with well_formed():
            key = str(made["id"])
        if made.get("metadata") != body["metadata"]:
            raise BackendError(
                f"{self.client.url} cannot say which form a dataset was made with",
                hint="curate was written for Argilla 2.8",
            )
        for kind, bodies in settings(form).items():
            for each in bodies:
                self.client.request("POST", f"datasets/{key}/{kind}", body=each)
        self.client.request("PUT", f"datasets/{key}/publish")
        return key

    # ── tasks

    def push(self, project: Project, tasks: Iterable[Task]) -> Iterator[str]:
        wanted = {task.id: task for task in tasks}
        refuse_own_overlap(project, wanted.values())
        self.open_project(project)
        questions = self._questions(project)
        records = {id: record(project.form, task, questions) for id, task in wanted.items()}
        there = set(self.client.records(project.key, external_id, responses=False))
        missing = [each for id, each in records.items() if id not in there]
        yield from self._send(project, missing)

    def _questions(self, project: Project) -> dict[str, str]:
        """Return the server's ids of the questions, by name."""
        found = self.client.request("GET", f"datasets/{project.key}/questions")
        with well_formed():
            return {each["name"]: each["id"] for each in found["items"]}

    def _send(self, project: Project, records: Sequence[dict[str, Any]]) -> Iterator[str]:
        """Send records batch by batch; yield the ids of each when it is stored."""
        pace = Pace(characters, first=FIRST, most=MOST)
        for batch in in_batches(records, pace, partial(self._put, project)):
            yield from (each["external_id"] for each in batch)

    def _put(self, project: Project, batch: Sequence[dict[str, Any]]) -> None:
        """Store a batch, whole or not at all; if its answer is lost, once more: ids are unique."""
        path, body = f"datasets/{project.key}/records/bulk", {"items": batch}
        try:
            self.client.request("PUT", path, body=body)
        except BackendUnavailable:
            time.sleep(1)
            self.client.request("PUT", path, body=body)

    def erase(self, project: Project, ids: Collection[str]) -> int:
        there = dict(self.client.records(project.key, _keys, responses=False))
        gone = [there[id] for id in ids if id in there]
        for start in range(0, len(gone), ERASED_AT_ONCE):
            keys = ",".join(gone[start : start + ERASED_AT_ONCE])
            self.client.request("DELETE", f"datasets/{project.key}/records", {"ids": keys})
        return len(gone)

    # ── people

    def accounts(self) -> tuple[str, ...]:
        """Return the annotators; if there are none the owners and admins; ourselves at last."""
        users = self.client.users()
        annotators = {each.username for each in users if each.role == "annotator"}
        others = {each.username for each in users} - {self._me()}
        return tuple(sorted(annotators or others or {self._me()}))

    def _members(self, project: Project) -> dict[str, str]:
        """Return name → id of everyone in the project's workspace."""
        with well_formed():
            workspace = UUID(self.client.dataset(project.key)["workspace_id"])
        return {each.username: str(each.id) for each in self.client.users(workspace)}

    def admit(self, project: Project, accounts: Collection[str]) -> None:
        """Make these people members of the project's workspace; others stay as they are."""
        users = {each.username: str(each.id) for each in self.client.users()}
        refuse_strangers(accounts, users, self.client.url)
        members = self._members(project)
        with well_formed():
            path = f"workspaces/{self.client.dataset(project.key)['workspace_id']}/users"
        for account in sorted(set(accounts) - members.keys()):
            try:
                self.client.request("POST", path, body={"user_id": users[account]})
            except Conflict:
                continue  # admitted by somebody else this moment

    def restore(
        self, project: Project, tasks: Iterable[Task], answers: Iterable[Annotation]
    ) -> int:
        """Put answers back with their tasks; what the server has of them stays as it is."""
        wanted = {task.id: task for task in tasks}
        given: dict[tuple[str, str], list[Annotation]] = defaultdict(list)
        for each in answers:
            given[each.id, each.account].append(each)
        users = {each.username: str(each.id) for each in self.client.users()}
        refuse_strangers({account for _, account in given}, users, self.client.url)
        refuse_own_overlap(project, wanted.values())
        _refuse_unknown_tasks(id for id, _ in given if id not in wanted)
        self.open_project(project)
        there = dict(self.client.records(project.key, _people, responses=True))
        questions = self._questions(project)
        records = {
            id: record(project.form, task, questions)
            for id, task in wanted.items()
            if id not in there
        }
        back = 0
        for (id, account), rows in given.items():
            if users[account] not in there.get(id, ()):
                shown = texts(project.form, wanted[id])
                response = write_response(project.form, rows, shown) | {"user_id": users[account]}
                made = records.setdefault(id, {"external_id": id})
                made.setdefault("responses", []).append(response)
                back += 1
        list(self._send(project, list(records.values())))
        return back

    # ── answers

    def pull(self, project: Project, *, cursor: str | None, known: Mapping[Key, str]) -> Pulled:
        self.open_project(project)
        answers = Answers(self.client, project)
        return answers.pull(cursor, known, accept_withdrawals=self.accept_withdrawals)

    def progress(self, project: Project) -> Progress:
        """Return how many tasks each account submitted, skipped or began.

        The workspace's members can be asked; the key's own account only if it has answered, or if
        there is nobody else.
        """
        self.open_project(project)
        counts = Answers(self.client, project).counts()
        accounts = set(self._members(project))
        own = self._me()
        if own not in counts and len(accounts) > 1:
            accounts.discard(own)
        tasks = self.client.count_records(project.key)
        return Progress(counts, tuple(sorted(accounts)), tasks)


def _keys(record: Mapping[str, Any]) -> tuple[str, str]:
    """Return our id of a record and the server's."""
    return external_id(record), str(record["id"])


def _people(record: Mapping[str, Any]) -> tuple[str, set[str]]:
    """Return our id of a record, and who has answered it."""
    return external_id(record), {str(each["user_id"]) for each in record["responses"]}


def _refuse_unknown_tasks(ids: Iterable[str]) -> None:
    for id in ids:
        raise DataError(f"an answer to {id} cannot be put back without its task")
