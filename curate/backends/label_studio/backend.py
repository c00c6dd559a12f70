"""Label Studio as a backend: a round is a project, a task carries our id as `record_id`.

The server has no unique keys, checks no answers, and shows everything to everyone with an account.
So a push first asks which tasks are there, a pull checks every value, and a task holds only what
the form shows.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from curate.backends.backend import (
    EVERYONE_BY_LOGIN,
    refuse_altered,
    refuse_another_form,
    refuse_strangers,
)
from curate.backends.label_studio import serving
from curate.backends.label_studio.answers import Answers
from curate.backends.label_studio.client import (
    RECORD,
    WRONG_ADDRESS,
    Client,
    Forbidden,
    NotFound,
    well_formed,
    where,
)
from curate.backends.label_studio.page import asks, instructions, label_config, title
from curate.backends.label_studio.tasks import characters, imported
from curate.backends.label_studio.values import refusals, write_annotation
from curate.backends.pace import Pace, Row, in_batches
from curate.backends.showing import names_in
from curate.errors import BackendError, BackendUnavailable, FormError, NotAllowed, ProjectMismatch
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

FIRST, MOST = 500, 2000
"""How many tasks are in the first batch, and in the largest: larger ones are no faster."""

EVERYONE = 1000
"""The overlap that asks everyone: more people than will ever answer one text."""


class LabelStudioBackend:
    """A Label Studio server, embedded or not; keys are legacy or personal access tokens.

    `public` is its address for people, if it differs from `url`. `bulk` is another address of the
    server, if there is one, where large requests do not keep people waiting. `shelf` is where the
    embedded server has the media that people see.
    """

    name = "label_studio"
    asks_by_task = True

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        public: str = "",
        bulk: str = "",
        shelf: Shelf | None = None,
        accept_withdrawals: bool = False,
    ) -> None:
        self.client = Client(url, api_key, bulk)
        self.shelf = shelf
        self.page = public or self.client.url
        self.accept_withdrawals = accept_withdrawals

    def ping(self) -> Server:
        """The server and its version, and the user whose key it is."""
        user = self._login()
        with self.client.translated():
            version = self.client.sdk.versions.get().release
        if not version:
            raise self._nameless()
        return Server(self.name, self.client.url, version, user)

    def _login(self) -> str:
        """The login of the key's own account."""
        with self.client.translated():
            user = self.client.sdk.users.whoami().email
        if not user:
            raise self._nameless()
        return str(user)

    def _nameless(self) -> BackendError:
        return BackendError(f"{self.client.url} does not say who it is", hint=WRONG_ADDRESS)

    # ── projects

    def ensure_project(
        self, name: str, form: Form, *, overlap: int | None, guidelines: str
    ) -> Project:
        """Find the oldest project with that title, or create one."""
        if reasons := refusals(form):
            hint = "see `curate forms check`"
            raise FormError(f"{form.name}: {reasons[0]}", hint=hint)
        key = self._find(title(name))
        if key is None:
            key = self._create(name, form, overlap, guidelines)
        project = Project(self.name, self.client.url, name, key, form, overlap, "")
        theirs = self._read(project)
        opened = self._opened(project, theirs)
        refuse_another_form(opened)
        self._set_overlaps(project, theirs.maximum_annotations)
        return opened

    def open_project(self, project: Project) -> Project:
        """The project with the address where people label, if it is still the same.

        Its id and time of creation must match; the server's address may change. A project that was
        renamed gets its title back. Raises ProjectMismatch.
        """
        return self._opened(project, self._read(project))

    def _read(self, project: Project) -> Any:
        """The project as the SDK describes it."""
        try:
            with self.client.translated():
                return self.client.sdk.projects.get(id=int(project.key))
        except NotFound:
            raise self._mismatch(project, "is gone from") from None
        except Forbidden as error:
            raise NotAllowed(
                f"{project.name} is not open to the account of this key: {error.message}",
                hint="the round was sent with a key of another account: set LABEL_STUDIO_API_KEY "
                "to one of an account that can open the project",
            ) from None

    def _opened(self, project: Project, theirs: Any) -> Project:
        born = theirs.created_at.isoformat() if theirs.created_at else ""
        is_renamed = theirs.title != title(project.name)
        if project.born not in ("", born) or (is_renamed and not project.born):
            raise self._mismatch(project, "is not the project of that number on")
        if is_renamed:
            self._name(project)
        altered = not _asks(theirs.label_config or "", project.form)
        url = f"{self.page}/projects/{project.key}/data?labeling=1"
        return replace(project, server=self.client.url, url=url, born=born, altered=altered)

    def _name(self, project: Project) -> None:
        """Give a project its title back; one that the key may not change keeps the other."""
        body = {"title": title(project.name)}
        with suppress(Forbidden):
            self.client.request("PATCH", f"api/projects/{project.key}/", body=body)

    def _set_overlaps(self, project: Project, present: int | None) -> None:
        """Set the project's overlap if an earlier try created it with another."""
        overlap = project.overlap or EVERYONE
        if present != overlap:
            with self.client.translated():
                self.client.sdk.projects.update(
                    id=int(project.key),
                    maximum_annotations=overlap,
                    request_options={"max_retries": 0},
                )

    def _mismatch(self, project: Project, what: str) -> ProjectMismatch:
        return ProjectMismatch(
            f"{project.name} {what} {self.client.url}",
            hint="see that LABEL_STUDIO_URL names the round's server; if it was lost, "
            "`curate push --restore` brings it back with the answers at home",
        )

    def _find(self, name: str) -> str | None:
        """The id of the oldest project with exactly that title, or None."""
        params = {"title": name, "include": "id,title", "page_size": 100}
        page = self.client.request("GET", "api/projects/", params)
        with well_formed():
            projects = [project for project in page["results"] if project["title"] == name]
            ids = [int(project["id"]) for project in projects]
        return str(min(ids)) if ids else None

    def _create(self, name: str, form: Form, overlap: int | None, guidelines: str) -> str:
        with self.client.translated():
            project = self.client.sdk.projects.create(
                title=title(name),
                description=name,
                label_config=label_config(form),
                maximum_annotations=overlap or EVERYONE,
                sampling="Sequential sampling",
                skip_queue=serving.SKIPS,
                show_collab_predictions=True,
                expert_instruction=instructions(guidelines),
                show_instruction=bool(guidelines),
                request_options={"max_retries": 0},
            )
        return str(project.id)

    # ── tasks

    def push(self, project: Project, tasks: Iterable[Task]) -> Iterator[str]:
        """Send the tasks that the server lacks; yield the id of each one stored."""
        return self._push(project, tasks, {})

    def _push(
        self,
        project: Project,
        tasks: Iterable[Task],
        answers: Mapping[tuple[str, str], Mapping[str, Any]],
    ) -> Iterator[str]:
        """Send the missing tasks, each with its own `answers`, whose keys are (id, account)."""
        refuse_altered(self.open_project(project))
        by_id = {task.id: task for task in tasks}
        data = {id: imported(project, task, self.shelf) for id, task in by_id.items()}
        for (id, _), answer in answers.items():
            data[id].setdefault("annotations", []).append(answer)
        present = dict(self._tasks(project))
        for id in by_id.keys() & present.keys():
            self._set_overlap(by_id[id], *present[id])
        missing = [row for id, row in data.items() if id not in present]
        last = max((key for key, _ in present.values()), default=0)

        def store(batch: Sequence[Row]) -> None:
            nonlocal last
            keys = self._send(project, batch, last)
            last = max(keys.values())
            for id, key in keys.items():
                self._set_overlap(by_id[id], key, project.overlap)

        for batch in in_batches(missing, Pace(characters, first=FIRST, most=MOST), store):
            yield from (row["data"][RECORD] for row in batch)

    def _tasks(self, project: Project) -> Iterator[tuple[str, tuple[int, int]]]:
        """Yield our id of every task on the server, with the server's id and the overlap."""
        for task in self.client.tasks(project.key, "id,data,overlap"):
            with well_formed():
                yield task["data"][RECORD], (task["id"], task["overlap"])

    def _send(self, project: Project, batch: Sequence[Row], last: int) -> dict[str, int]:
        """Send a batch once; return our ids → the server's.

        The server stores a batch whole or not at all. If its answer is lost, or has no ids because
        the server works in the background, the tasks with ids after `last` are looked up.
        """
        ids = [row["data"][RECORD] for row in batch]
        path, params = f"api/projects/{project.key}/import", {"return_task_ids": "true"}
        try:
            answer = self.client.request("POST", path, params, batch)
        except BackendUnavailable:
            arrived = self._arrived(project, last)
            if not arrived.keys() >= set(ids):
                raise
            return {id: arrived[id] for id in ids}
        keys = answer.get("task_ids") if isinstance(answer, dict) else None
        if isinstance(keys, list) and len(keys) == len(ids):
            return dict(zip(ids, keys, strict=True))
        return self._await(project, ids, last)

    def _await(
        self, project: Project, ids: Sequence[str], last: int, patience: float = 300
    ) -> dict[str, int]:
        """Look every second until these tasks are there, for `patience` seconds at most."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            arrived = self._arrived(project, last)
            if arrived.keys() >= set(ids):
                return {id: arrived[id] for id in ids}
            time.sleep(1)
        raise BackendUnavailable(f"{len(ids)} tasks do not appear on {self.client.url}")

    def _arrived(self, project: Project, last: int) -> dict[str, int]:
        newer = where("id", "greater", "Number", last)
        return {record: key for key, record in self.client.records(project.key, newer)}

    def _set_overlap(self, task: Task, key: int, overlap: int | None) -> None:
        """Set a task's own overlap if `overlap` is another; an import cannot set it."""
        if task.overlap not in (None, overlap):
            self.client.request("PATCH", f"api/tasks/{key}/", body={"overlap": task.overlap})

    def ask_more(self, project: Project, missing: Mapping[str, int], *, tasks: int) -> Unserved:
        """Raise the overlap of the tasks on which the server counts more answers than we do."""
        return serving.ask_more(self.client, project.key, missing, tasks)

    def erase(self, project: Project, ids: Collection[str]) -> int:
        """Delete these tasks with their answers; return how many were there."""
        rows = {task["data"][RECORD]: task for task in self.client.tasks(project.key, "id,data")}
        targets = [rows.pop(id) for id in ids if id in rows]
        for task in targets:
            self.client.request("DELETE", f"api/tasks/{task['id']}/")
        if self.shelf is not None:  # what other tasks show stays
            gone, left = (
                names_in(own["data"] for own in part) for part in (targets, rows.values())
            )
            self.shelf.remove(project.key, gone - left)
        return len(targets)

    # ── people

    def accounts(self) -> tuple[str, ...]:
        """Everyone on the server; the key's own account only if there is nobody else."""
        logins = set(self.client.accounts().values())
        return tuple(sorted(logins - {self._login()} or logins))

    def users(self) -> tuple[User, ...]:
        """Everyone on the server, the curator too."""
        return tuple(self.client.users().values())

    def members(self, project: Project) -> None:
        """Everyone on the server."""

    def admit(self, project: Project, accounts: Collection[str]) -> None:
        """Raise DataError for an unknown account; all others see every project already."""
        refuse_strangers(accounts, self.client.accounts().values(), self.client.url)

    def restore(
        self, project: Project, tasks: Iterable[Task], answers: Iterable[Annotation]
    ) -> int:
        """Put answers back: with their tasks if these are gone, else one by one."""
        refuse_altered(self.open_project(project))
        users = {email: user for user, email in self.client.accounts().items()}
        by_task: dict[str, dict[str, list[Annotation]]] = defaultdict(lambda: defaultdict(list))
        for answer in answers:
            by_task[answer.id][answer.account].append(answer)
        accounts = {account for people in by_task.values() for account in people}
        refuse_strangers(accounts, users, self.client.url)
        annotations = {
            (id, account): write_annotation(project.form, rows) | {"completed_by": users[account]}
            for id, people in by_task.items()
            for account, rows in people.items()
        }
        keys = {record: key for record, (key, _) in self._tasks(project)}
        present = Answers(self.client, project).read().annotations if keys else {}
        answered = {(id, account) for id, _, account in present}
        for (id, account), annotation in annotations.items():
            if id in keys and (id, account) not in answered:
                self.client.request("POST", f"api/tasks/{keys[id]}/annotations/", body=annotation)
        list(self._push(project, tasks, annotations))
        return len(annotations.keys() - answered)

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
        answers = Answers(self.client, project, authors, known)
        accept = accept_losses or self.accept_withdrawals
        return answers.pull(cursor, accept_withdrawals=accept)

    def progress(self, project: Project, *, authors: Authors = EVERYONE_BY_LOGIN) -> Progress:
        """How many tasks each account submitted, skipped or began.

        Everyone on the server can be asked. The key's own account is listed only if it has
        answered, or if there is nobody else.
        """
        self.open_project(project)
        answers = Answers(self.client, project, authors)
        counts, tasks = answers.counts()
        logins = {user.login: authors.of(user) for user in answers.users.values()}
        me = self._login()
        if logins.get(me) not in counts and len(logins) > 1:
            logins.pop(me, None)
        accounts = set(logins.values())
        return Progress(counts, tuple(sorted(accounts)), tasks)


def _asks(xml: str, form: Form) -> bool:
    """Whether a label config asks what the form asks, whatever it looks like."""
    try:
        return asks(xml, form)
    except FormError:
        return False
