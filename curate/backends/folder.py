"""A folder of files in place of an annotation server: for offline work, imports and tests.

`push` writes `rounds/NN/tasks.jsonl`. Answers are read from `rounds/NN/answers.jsonl`, one a line:
`{"id", "question", "annotator", "value", "status", "at", "seconds", "reason"}`; the last four are
optional.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any, get_args

from curate import __version__, storage
from curate.backends.backend import EVERYONE_BY_LOGIN, refuse_losses
from curate.errors import DataError, FormError, ProjectMismatch
from curate.names import absent
from curate.records import (
    Annotation,
    Authors,
    Form,
    Key,
    Progress,
    Project,
    Pulled,
    Server,
    Status,
    Task,
    Unserved,
    User,
    in_turn,
    moment,
    replaces,
)

RESERVED = ("id", "overlap", "suggestions")
"""Keys of a task in `tasks.jsonl` beside the fields that the form shows."""


def refusals(form: Form) -> tuple[str, ...]:
    """The reasons why a folder cannot hold a form; empty if it can."""
    return tuple(f"a field cannot be named {name}" for name in form.fields if name in RESERVED)


class FolderBackend:
    """Rounds as files in one folder; a project's key is the number of its round."""

    name = "folder"
    asks_by_task = True

    def __init__(self, root: Path, *, accept_withdrawals: bool = False) -> None:
        self.root = Path(root)
        self.accept_withdrawals = accept_withdrawals

    def ping(self) -> Server:
        """The folder as a server: curate's own version, and no user."""
        return Server(self.name, str(self.root), __version__, "")

    def ensure_project(
        self, name: str, form: Form, *, overlap: int | None, guidelines: str
    ) -> Project:
        """Write `tasks.json`, or check it. Raises FormError or ProjectMismatch."""
        if reasons := refusals(form):
            raise FormError(
                f"{form.name}: {reasons[0]}",
                hint=f"{', '.join(RESERVED)} are what tasks.jsonl itself says of a task",
            )
        key = name.rsplit("-r", 1)[-1].replace("-", "/")  # a part of a round is a folder inside it
        path = self.root / key / "tasks.json"
        identity = {"name": name, "form": form.digest, "overlap": overlap}
        on_disk = storage.read_record(path, "name")
        if on_disk is None:
            storage.write_json(path, identity)
        elif on_disk != identity:
            raise ProjectMismatch(
                f"{path.parent} holds another project, {on_disk['name']}",
                hint="a changed form acts on the next round: `curate run --next-round`",
            )
        url = str(self.root / key)
        return Project(self.name, str(self.root), name, key, form, overlap, url)

    def open_project(self, project: Project) -> Project:
        """The project, if its `tasks.json` still names it. Raises ProjectMismatch."""
        on_disk = storage.read_record(self.root / project.key / "tasks.json", "name")
        if on_disk is None or on_disk["name"] != project.name:
            raise ProjectMismatch(
                f"the files of {project.name} are gone from {self.root / project.key}",
                hint="put the folder back, or `curate push --restore` with the answers at home",
            )
        return project

    def push(self, project: Project, tasks: Iterable[Task]) -> Iterator[str]:
        """Append the tasks that `tasks.jsonl` lacks; yield their ids."""
        path = self.root / project.key / "tasks.jsonl"
        present = {row["id"] for _, row in _lines(path)} if path.exists() else set()
        new = [task for task in tasks if task.id not in present]
        lines = path.read_text(encoding="utf-8") if path.exists() else ""
        rows = (_row(task, project.form) for task in new)
        lines += "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        storage.write_text(path, lines)
        yield from (task.id for task in new)

    def accounts(self) -> tuple[str, ...]:
        """Nobody by name: anyone may write to the file."""
        return ()

    def users(self) -> tuple[User, ...]:
        """Nobody: a name in the file is all that is known of a person."""
        return ()

    def user(self, name: str) -> User:
        """The user of that name."""
        return User(name, name)

    def admit(self, project: Project, accounts: Collection[str]) -> None:
        """Do nothing: a folder knows no accounts."""

    def members(self, project: Project) -> None:
        """Everyone: anyone may write to the file."""

    def ask_more(self, project: Project, missing: Mapping[str, int], *, tasks: int) -> Unserved:
        """The tasks whose lines are gone; all others are asked of everybody."""
        path = self.root / project.key / "tasks.jsonl"
        present = {row["id"] for _, row in _lines(path)} if path.exists() else set()
        return Unserved(gone=tuple(id for id in sorted(missing) if id not in present))

    def erase(self, project: Project, ids: Collection[str]) -> int:
        """Remove the rows of these tasks from both files; return how many tasks were there."""
        targets, erased = set(ids), 0
        for name in ("tasks", "answers"):
            path = self.root / project.key / f"{name}.jsonl"
            rows = [row for _, row in _lines(path)] if path.exists() else []
            remaining = [row for row in rows if row.get("id") not in targets]
            if len(remaining) < len(rows):
                lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in remaining)
                storage.write_text(path, "".join(lines))
                erased += len(rows) - len(remaining) if name == "tasks" else 0
        return erased

    def restore(
        self, project: Project, tasks: Iterable[Task], answers: Iterable[Annotation]
    ) -> int:
        """Append the tasks and answers that are missing; return how many (task, account) pairs."""
        list(self.push(project, tasks))
        present = self._newest(project)
        missing = [answer for answer in answers if answer.key not in present]
        path = storage.regular(self.root / project.key / "answers.jsonl")
        lines = path.read_text(encoding="utf-8") if path.exists() else ""
        rows = (_answer(answer) for answer in missing)
        lines += "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        storage.write_text(path, lines)
        return len({(answer.id, answer.account) for answer in missing})

    def pull(
        self,
        project: Project,
        *,
        cursor: str | None,
        known: Mapping[Key, str],
        authors: Authors = EVERYONE_BY_LOGIN,
        accept_losses: bool = False,
    ) -> Pulled:
        """Read all answers, whatever the cursor. Raises DataError or ProjectMismatch."""
        answers = self._newest(project, authors)
        changed = [answer for answer in answers.values() if known.get(answer.key) != answer.mark]
        withdrawals = [
            Annotation(*key, None, "withdrawn", reason="gone from answers.jsonl")
            for key, mark in known.items()
            if key not in answers
            and key[2] not in authors.left
            and not mark.startswith("withdrawn|")
        ]
        if not (accept_losses or self.accept_withdrawals):
            refuse_losses(withdrawals, known, project.name)
        return Pulled((*changed, *withdrawals), None, len(answers))

    def progress(self, project: Project, *, authors: Authors = EVERYONE_BY_LOGIN) -> Progress:
        """Account → status → number of tasks, and the number of all tasks."""
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        answers = self._newest(project, authors).values()
        last = {(answer.id, answer.account): answer.status for answer in answers}
        for (_, account), status in last.items():
            counts[account][status] += 1
        tasks = self.root / project.key / "tasks.jsonl"
        total = sum(1 for _ in _lines(tasks)) if tasks.exists() else 0
        return Progress(dict(counts), tuple(sorted(counts)), total)

    def _newest(
        self, project: Project, authors: Authors = EVERYONE_BY_LOGIN
    ) -> dict[Key, Annotation]:
        path = self.root / project.key / "answers.jsonl"
        newest: dict[Key, Annotation] = {}
        lines = [
            replace(line, account=authors.of(self.user(line.account)))
            for line in (read_answers(path) if path.exists() else ())
        ]
        for answer in in_turn(lines, lambda own: own.key, lambda own: moment(own.at)):
            before = newest.get(answer.key)
            if before is None or replaces(
                answer.status, moment(answer.at), before.status, moment(before.at)
            ):
                newest[answer.key] = answer
        return newest


def read_answers(path: Path) -> list[Annotation]:
    """The answers in a file, line by line. Raises DataError with file and line."""
    if not path.is_file():
        hint = "give a file of answers, one JSON object a line"
        raise absent(f"no file {path}", path, hint=hint, kind=DataError)
    return [_annotation(row, f"{path.name}, line {number}") for number, row in _lines(path)]


def _annotation(row: dict[str, Any], where: str) -> Annotation:
    names = ("id", "question", "annotator")
    missing = [key for key in names if not _is_name(row.get(key))]
    if missing:
        raise DataError(f"{where}: no {missing[0]}", hint='a line is {"id", "question", …}')
    status: Any = row.get("status") or "submitted"
    if status not in get_args(Status):
        raise DataError(f"{where}: no such status: {status}", hint=", ".join(get_args(Status)))
    value = row.get("value")
    at, seconds = row.get("at"), row.get("seconds")
    if seconds is not None and not (isinstance(seconds, int | float) and 0 <= seconds < inf):
        raise DataError(f"{where}: seconds are a number, not {seconds!r}")
    try:
        moment(at)
    except (TypeError, ValueError):
        hint = "give ISO 8601, as in 2026-01-31T12:00:00Z"
        raise DataError(f"{where}: not a time: {at!r}", hint=hint) from None
    reason = None if row.get("reason") is None else str(row["reason"])
    return Annotation(
        row["id"], row["question"], row["annotator"], value, status, at, seconds, reason
    )


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def _answer(answer: Annotation) -> dict[str, Any]:
    names = ("id", "question", "value", "status", "at", "seconds")
    return {"annotator": answer.account, **{name: getattr(answer, name) for name in names}}


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with storage.regular(path).open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                row = json.loads(line) if line.strip() else None
            except (ValueError, RecursionError) as error:  # no JSON, or no UTF-8
                raise DataError(f"{path.name}, line {number}: not JSON ({error})") from None
            if row is not None and not isinstance(row, dict):
                raise DataError(f"{path.name}, line {number}: not a JSON object")
            if row is not None:
                yield number, row


def _row(task: Task, form: Form) -> dict[str, Any]:
    row: dict[str, Any] = {"id": task.id, **{name: task.fields[name] for name in form.fields}}
    if task.overlap is not None:
        row["overlap"] = task.overlap
    if task.suggestions:
        row["suggestions"] = [vars(suggestion) for suggestion in task.suggestions]
    return row
