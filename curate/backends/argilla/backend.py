"""Argilla as a backend: a round is a dataset in a workspace of its own, a record carries our id.

Only members of the workspace and the server's owners see the dataset. A record's `external_id` is
the task's id and is unique. So a record sent twice is stored once, and a request whose answer was
lost may be repeated. What Argilla's page calls a discard is a skip here: after both, the person is
not asked about the task again. Texts always go through `argilla/text.py`, on any server.
`argilla/answers.py` says what a pull costs.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from curate.backends.argilla import serving
from curate.backends.argilla.answers import Answers
from curate.backends.argilla.client import (
    Client,
    Conflict,
    NotFound,
    external_id,
    known_user,
    time_of,
    well_formed,
)
from curate.backends.argilla.form import check, guide, same, settings, slug, without_looks
from curate.backends.argilla.records import (
    characters,
    keys_of,
    people_of,
    record,
    refuse_own_overlap,
    refuse_unknown_tasks,
    texts,
)
from curate.backends.argilla.values import write_response
from curate.backends.backend import (
    EVERYONE_BY_LOGIN,
    refuse_altered,
    refuse_another_form,
    refuse_strangers,
)
from curate.backends.pace import Pace, in_batches
from curate.errors import BackendError, BackendUnavailable, DataError, NotAllowed, ProjectMismatch
from curate.records import (
    Annotation,
    Authors,
    Form,
    Key,
    Progress,
    Project,
    Pulled,
    Server,
    Task,
    Unserved,
    User,
)
from curate.servers.shelf import Shelf

EVERYONE = 1000
"""The overlap that asks everyone: a record leaves all queues once as many have submitted."""

GUIDELINES = 10_000
"""The most characters of guidelines that a dataset holds."""

FIRST, MOST = 100, 500
"""How many records are in the first batch, and how many the server takes at once."""

ERASED_AT_ONCE = 50
"""How many records one request deletes: the server takes up to 100 ids in one address."""


class ArgillaBackend:
    """An Argilla server, embedded or not; the key is an owner's.

    `bulk` is another address of the server, if there is one, where large requests do not keep
    people waiting. `shelf` is where the embedded server has the media that people see.
    """

    name = "argilla"
    asks_by_task = False

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        bulk: str = "",
        shelf: Shelf | None = None,
        accept_withdrawals: bool = False,
    ) -> None:
        self.client = Client(url, api_key, bulk)
        self.shelf = shelf
        self.accept_withdrawals = accept_withdrawals

    def ping(self) -> Server:
        """The server and its version, and the user whose key it is."""
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
        """Find the dataset or create it; also raises DataError for guidelines that are too long."""
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
        opened = self.open_project(project)
        refuse_another_form(opened)
        serving.set_overlap(self.client, key, overlap or EVERYONE)
        return opened

    def open_project(self, project: Project) -> Project:
        """The project with the address where people label, if it is still the same.

        Its id and time of creation must match; the server's address may change. A dataset that was
        renamed gets its name back. Raises ProjectMismatch.
        """
        try:
            dataset = self.client.dataset(project.key)
        except NotFound:
            raise self._mismatch(project, "is gone from") from None
        with well_formed():
            metadata = (dataset.get("metadata") or {}).get("curate") or {}
            born = time_of(dataset["inserted_at"])
            is_renamed = dataset["name"] != slug(project.name)
        if project.born not in ("", born) or (is_renamed and not project.born):
            raise self._mismatch(project, "is not the project of that id on")
        if is_renamed:
            self.client.rename(project.key, slug(project.name))
        altered = metadata.get("form") != project.form.digest or not self._asks(project)
        url = f"{self.client.url}/dataset/{project.key}/annotation-mode"
        return replace(project, server=self.client.url, url=url, born=born, altered=altered)

    def _asks(self, project: Project) -> bool:
        """Whether the dataset has the fields and questions of the form, and no others."""
        for kind, bodies in settings(project.form).items():
            answer = self.client.request("GET", f"datasets/{project.key}/{kind}")
            with well_formed():
                theirs = {body["name"]: body for body in answer["items"]}
            if not same({body["name"]: without_looks(body) for body in bodies}, theirs):
                return False
            if len(theirs) != len(bodies):
                return False
        return True

    def _mismatch(self, project: Project, what: str) -> ProjectMismatch:
        return ProjectMismatch(
            f"{project.name} {what} {self.client.url}",
            hint="see that ARGILLA_API_URL names the round's server; if it was lost, "
            "`curate push --restore` brings it back with the answers at home",
        )

    def _workspace(self, name: str) -> str:
        """Find the workspace with that name or create it; return its id."""
        with self.client.translated():
            workspaces = self.client.sdk.api.workspaces
            workspace = workspaces.get_by_name(name)
        if workspace is None:
            try:
                return str(self.client.request("POST", "workspaces", body={"name": name})["id"])
            except Conflict:  # somebody else has just made it
                with self.client.translated():
                    workspace = workspaces.get_by_name(name)
        if workspace is None:
            raise NotAllowed(
                f"{self.client.url} has a workspace {name} that this key may not see",
                hint="use the key of an owner of the server in ARGILLA_API_KEY",
            )
        return str(workspace.id)

    def _find(self, workspace: str, name: str) -> str | None:
        """The id of the published dataset with that name, or None; unfinished ones are deleted."""
        params = {"workspace_id": workspace, "name": name}
        answer = self.client.request("GET", "me/datasets", params)
        with well_formed():
            datasets = [dataset for dataset in answer["items"] if dataset["name"] == name]
            statuses = {dataset["id"]: dataset["status"] for dataset in datasets}
        for key, status in statuses.items():
            if status == "ready":
                return str(key)
            self.client.request("DELETE", f"datasets/{key}")
        return None

    def _create(
        self, workspace: str, name: str, form: Form, overlap: int | None, guidelines: str
    ) -> str:
        """Create a dataset; until it is published nobody sees it, and the next try deletes it."""
        body = {
            "name": slug(name),
            "workspace_id": workspace,
            "guidelines": guidelines or None,
            "allow_extra_metadata": False,
            "distribution": {"strategy": "overlap", "min_submitted": overlap or EVERYONE},
            "metadata": {"curate": {"form": form.digest}},
        }
        dataset = self.client.request("POST", "datasets", body=body)
        with well_formed():
            key = str(dataset["id"])
        if dataset.get("metadata") != body["metadata"]:
            raise BackendError(
                f"{self.client.url} cannot say which form a dataset was made with",
                hint="curate was written for Argilla 2.8",
            )
        for kind, bodies in settings(form).items():
            for part in bodies:
                self.client.request("POST", f"datasets/{key}/{kind}", body=part)
        self.client.request("PUT", f"datasets/{key}/publish")
        return key

    # ── tasks

    def push(self, project: Project, tasks: Iterable[Task]) -> Iterator[str]:
        """Send the missing tasks; also raises DataError for a task with another overlap."""
        by_id = {task.id: task for task in tasks}
        refuse_own_overlap(project, by_id.values())
        refuse_altered(self.open_project(project))
        questions = self._questions(project)
        records = {id: record(project, task, questions, self.shelf) for id, task in by_id.items()}
        present = set(self.client.records(project.key, external_id, responses=False))
        missing = [body for id, body in records.items() if id not in present]
        yield from self._send(project, missing)

    def _questions(self, project: Project) -> dict[str, str]:
        """Question name → the server's id."""
        answer = self.client.request("GET", f"datasets/{project.key}/questions")
        with well_formed():
            return {question["name"]: question["id"] for question in answer["items"]}

    def _send(self, project: Project, records: Sequence[dict[str, Any]]) -> Iterator[str]:
        """Send records batch by batch; yield the ids of each batch once it is stored."""
        pace = Pace(characters, first=FIRST, most=MOST)
        for batch in in_batches(records, pace, partial(self._put, project)):
            yield from (body["external_id"] for body in batch)

    def _put(self, project: Project, batch: Sequence[dict[str, Any]]) -> None:
        """Store a batch whole or not at all; resend it if its answer is lost: ids are unique."""
        path, body = f"datasets/{project.key}/records/bulk", {"items": batch}
        try:
            self.client.request("PUT", path, body=body)
        except BackendUnavailable:
            time.sleep(1)
            self.client.request("PUT", path, body=body)

    def ask_more(self, project: Project, missing: Mapping[str, int], *, tasks: int) -> Unserved:
        """The tasks that the server counts as complete, or lacks; it asks as many as was sent."""
        if missing and serving.set_overlap(self.client, project.key, project.overlap or EVERYONE):
            return Unserved()  # it counts anew: the next pull sees what is left
        return serving.unserved(self.client, project.key, missing, tasks)

    def erase(self, project: Project, ids: Collection[str]) -> int:
        """Delete the records of these tasks with their answers; return how many were there."""
        rows = dict(self.client.records(project.key, keys_of, responses=False))
        gone = [rows.pop(id) for id in ids if id in rows]
        targets = [key for key, _ in gone]
        for start in range(0, len(targets), ERASED_AT_ONCE):
            chunk = ",".join(targets[start : start + ERASED_AT_ONCE])
            self.client.request("DELETE", f"datasets/{project.key}/records", {"ids": chunk})
        if self.shelf is not None:  # what other records show stays
            left = {name for _, names in rows.values() for name in names}
            self.shelf.remove(project.key, {name for _, names in gone for name in names} - left)
        return len(targets)

    # ── people

    def accounts(self) -> tuple[str, ...]:
        """The annotators, else the owners and admins, else the key's own account."""
        users = self.client.users()
        annotators = {user.username for user in users if user.role == "annotator"}
        others = {user.username for user in users} - {self._me()}
        return tuple(sorted(annotators or others or {self._me()}))

    def users(self) -> tuple[User, ...]:
        """Everyone on the server, the curator too."""
        return tuple(known_user(user) for user in self.client.users())

    def members(self, project: Project) -> tuple[User, ...]:
        """Everyone in the project's workspace, and the owners."""
        return serving.who_sees(self.client, project.key)

    def admit(self, project: Project, accounts: Collection[str]) -> None:
        """Add these accounts to the project's workspace; nobody is removed from it.

        Raises DataError for an unknown account.
        """
        users = {user.username: str(user.id) for user in self.client.users()}
        refuse_strangers(accounts, users, self.client.url)
        members = serving.members(self.client, project.key)
        with well_formed():
            path = f"workspaces/{self.client.dataset(project.key)['workspace_id']}/users"
        for login in sorted(set(accounts) - members.keys()):
            try:
                self.client.request("POST", path, body={"user_id": users[login]})
            except Conflict:
                continue  # somebody else has just admitted the person

    def restore(
        self, project: Project, tasks: Iterable[Task], answers: Iterable[Annotation]
    ) -> int:
        """Put answers back with their tasks; also raises DataError for one without its task."""
        by_id = {task.id: task for task in tasks}
        by_person: dict[tuple[str, str], list[Annotation]] = defaultdict(list)
        for answer in answers:
            by_person[answer.id, answer.account].append(answer)
        users = {user.username: str(user.id) for user in self.client.users()}
        refuse_strangers({account for _, account in by_person}, users, self.client.url)
        refuse_own_overlap(project, by_id.values())
        refuse_unknown_tasks(id for id, _ in by_person if id not in by_id)
        refuse_altered(self.open_project(project))
        people = dict(self.client.records(project.key, people_of, responses=True))
        questions = self._questions(project)
        records = {
            id: record(project, task, questions, self.shelf)
            for id, task in by_id.items()
            if id not in people
        }
        number = 0
        for (id, account), rows in by_person.items():
            if users[account] not in people.get(id, ()):
                fields = texts(project.form, by_id[id])
                response = write_response(project.form, rows, fields) | {"user_id": users[account]}
                body = records.setdefault(id, {"external_id": id})
                body.setdefault("responses", []).append(response)
                number += 1
        list(self._send(project, list(records.values())))
        return number

    # ── answers

    def pull(
        self,
        project: Project,
        *,
        cursor: str | None,
        known: Mapping[Key, str],
        authors: Authors = EVERYONE_BY_LOGIN,
        accept_losses: bool = False,
    ) -> Pulled:
        """Fetch new, changed and withdrawn answers. Raises ProjectMismatch."""
        self.open_project(project)
        answers = Answers(self.client, project, authors)
        accept = accept_losses or self.accept_withdrawals
        return answers.pull(cursor, known, accept_withdrawals=accept)

    def progress(self, project: Project, *, authors: Authors = EVERYONE_BY_LOGIN) -> Progress:
        """How many tasks each account submitted, skipped or began.

        The workspace's members can be asked. The key's own account is listed only if it has
        answered, or if there is nobody else.
        """
        self.open_project(project)
        answers, members = (
            Answers(self.client, project, authors),
            set(serving.members(self.client, project.key)),
        )
        counts, me = answers.counts(), self._me()
        if me not in counts and len(members) > 1:
            members.discard(me)
        tasks = self.client.count_records(project.key)
        by_login = {user.login: authors.of(user) for user in self.users()}
        by_account = {by_login.get(login, login): states for login, states in counts.items()}
        accounts = sorted(by_login.get(login, login) for login in members)
        return Progress(by_account, tuple(accounts), tasks)
