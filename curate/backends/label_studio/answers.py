"""Answers on a Label Studio project: which exist, which are new, which are gone.

A task's `updated_at` changes with everything that happens to its answers, their deletion too. So
an incremental pull reads the tasks changed since the last one and replaces all their answers. The
deletion of a task leaves no trace: the cursor counts the tasks, and a missing one is looked for.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from curate.backends.backend import refuse_losses
from curate.backends.label_studio.client import (
    LOOKUP,
    RECORD,
    Client,
    chunks,
    well_formed,
    where,
    where_records,
)
from curate.backends.label_studio.values import read_result
from curate.errors import BackendError
from curate.records import Annotation, Key, Project, Pulled, Status, moment

STATES = "id,data,updated_at,annotations,completed_by,was_cancelled"
"""The fields of tasks to ask for; the server leaves out nested fields too, if not named here."""

ANSWERS = f"{STATES},result,lead_time"
LOOKBACK = timedelta(seconds=5)
"""How far a pull looks behind its cursor: two answers may be stored out of order."""


@dataclass(frozen=True)
class Cursor:
    """Where a pull ended: the newest change, the last task id, and the number of tasks up to it."""

    after: str
    last_id: int
    tasks: int

    @staticmethod
    def parse(text: str) -> Cursor:
        """Read a cursor. Raises BackendError if it is not one of ours."""
        try:
            return Cursor(**json.loads(text))
        except (ValueError, TypeError):
            raise BackendError(f"not a cursor of Label Studio: {text[:80]}") from None

    def __str__(self) -> str:
        return json.dumps(asdict(self))


@dataclass
class Reading:
    """What was read: answers by key, their records and task ids, and the newest change."""

    annotations: dict[Key, Annotation] = field(default_factory=dict)
    records: set[str] = field(default_factory=set)
    tasks: list[int] = field(default_factory=list)
    after: str = ""

    def add(self, answers: Iterable[Annotation]) -> None:
        """Keep the newest answer of each key: one person may have given several."""
        for answer in answers:
            before = self.annotations.get(answer.key)
            if before is None or str(answer.at) >= str(before.at):
                self.annotations[answer.key] = answer


class Answers:
    """The answers of one project, read with the client of its server."""

    def __init__(self, client: Client, project: Project) -> None:
        self.client = client
        self.project = project

    @cached_property
    def accounts(self) -> dict[int, str]:
        """User id → e-mail address of everyone on the server."""
        return self.client.accounts()

    def pull(
        self, cursor: str | None, known: Mapping[Key, str], *, accept_withdrawals: bool
    ) -> Pulled:
        """Fetch the answers new or changed since the cursor, the gone ones, and the next cursor.

        Raises ProjectMismatch if more than a few submitted answers are gone at once.
        """
        last = Cursor.parse(cursor) if cursor else None
        drafts = self._drafts()  # read first: one submitted meanwhile is then read as submitted
        reading = self.read(*_since(last))
        present, after = self._census(last, reading)
        answers = {**drafts, **reading.annotations}
        missing = {
            key
            for key, mark in known.items()
            if key not in answers and not mark.startswith("withdrawn|")
        }
        withdrawals = list(self._withdrawals(missing, known, reading.records, present))
        if not accept_withdrawals:
            refuse_losses(withdrawals, known, self.project.name)
        changed = [answer for answer in answers.values() if known.get(answer.key) != answer.mark]
        return Pulled((*changed, *withdrawals), str(after) if after else None, len(answers))

    def counts(self) -> tuple[dict[str, Counter[str]], int]:
        """Account → status of its last answer → number of tasks; and the number of all tasks."""
        newest: dict[tuple[str, str], tuple[str, str]] = {}
        records = set()
        for task in self.client.tasks(self.project.key, STATES):
            with well_formed():
                record = task["data"][RECORD]
                records.add(record)
                for annotation in task["annotations"]:
                    key = (record, self._account(annotation["completed_by"]))
                    state = (_time(annotation["updated_at"]), _status(annotation))
                    newest[key] = max(newest.get(key, state), state)
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for (_, account), (_, status) in newest.items():
            counts[account][status] += 1
        for _, account in {(id, account) for id, _, account in self._drafts()}:
            counts[account]["draft"] += 1
        return dict(counts), len(records)

    # ── reading

    def read(self, *filters: Mapping[str, Any]) -> Reading:
        """Read all answers to the tasks that match all filters."""
        reading = Reading()
        for task in self.client.tasks(self.project.key, ANSWERS, *filters):
            with well_formed():
                reading.tasks.append(task["id"])
                reading.records.add(task["data"][RECORD])
                reading.after = max(reading.after, _time(task["updated_at"]))
                for annotation in task["annotations"]:
                    account = self._account(annotation["completed_by"])
                    rows = self._rows(task["data"], annotation, account, _status(annotation))
                    reading.add(rows)
        return reading

    def _rows(
        self, data: Mapping[str, Any], annotation: Mapping[str, Any], account: str, status: Status
    ) -> Iterator[Annotation]:
        """Yield the answers of an annotation or a draft, one for each question."""
        form = self.project.form
        texts = {name: str(data.get(name, "")) for name in form.fields}
        at, seconds = _time(annotation["updated_at"]), annotation["lead_time"]
        template = Annotation(data[RECORD], "", account, None, status, at, seconds)
        if status == "skipped":
            yield from (replace(template, question=question.name) for question in form.questions)
            return
        for name, (value, wrong) in read_result(form, annotation["result"], texts).items():
            answer = replace(template, question=name, value=value)
            yield replace(answer, status="rejected", reason=wrong) if wrong else answer

    def _account(self, user: int | None) -> str:
        return self.accounts.get(user or 0, f"deleted account {user}")

    def _drafts(self) -> dict[Key, Annotation]:
        """The drafts that people's browsers saved, on tasks where they submitted nothing.

        A draft does not change its task's `updated_at`, so all drafts are read each time: one
        request for all tasks that have any, and one for each of these.
        """
        reading = Reading()
        has_draft = where("draft_exists", "equal", "Boolean", "true")
        for task in self.client.tasks(self.project.key, ANSWERS, has_draft):
            drafts = self.client.request("GET", f"api/tasks/{task['id']}/drafts")
            with well_formed():
                users = [annotation["completed_by"] for annotation in task["annotations"]]
                answered = {self._account(user) for user in users}
                for draft in drafts:
                    if draft["annotation"] is None and draft["user"] not in answered:
                        reading.add(self._rows(task["data"], draft, draft["user"], "draft"))
        return reading.annotations

    # ── withdrawals

    def _census(
        self, last: Cursor | None, reading: Reading
    ) -> tuple[set[str] | None, Cursor | None]:
        """The records on the server (None if no task is missing), and the next cursor."""
        if last is None:
            first = Cursor(reading.after, max(reading.tasks, default=0), len(reading.tasks))
            return reading.records, first if reading.tasks else None
        upto = where("id", "less_or_equal", "Number", last.last_id)
        number = self.client.count_tasks(self.project.key, upto)
        newest = max([last.last_id, *reading.tasks])
        after = max(last.after, reading.after)
        if number >= last.tasks:
            number += sum(id > last.last_id for id in reading.tasks)
            return None, Cursor(after, newest, number)
        records = dict(self.client.records(self.project.key))
        return set(records.values()), Cursor(after, newest, sum(id <= newest for id in records))

    def _withdrawals(
        self,
        missing: set[Key],
        known: Mapping[Key, str],
        records: set[str],
        present: set[str] | None,
    ) -> Iterator[Annotation]:
        """Yield a withdrawal for each missing answer that is really gone, with the reason.

        If a record is on two tasks and only one was read, its answers are looked up.
        """
        doubtful = sorted({id for id, _, _ in missing if id in records})
        present_keys: set[Key] = set()
        for chunk in chunks(doubtful, LOOKUP):
            present_keys |= self.read(where_records(chunk)).annotations.keys()
        for key in sorted(missing - present_keys):
            if present is not None and key[0] not in present:
                yield Annotation(*key, None, "withdrawn", reason="its task is gone from the server")
            elif key[0] in records:
                yield Annotation(*key, None, "withdrawn", reason="deleted on the server")
            elif known[key].startswith("draft|"):
                yield Annotation(*key, None, "withdrawn", reason="the draft was discarded")


def _since(last: Cursor | None) -> list[dict[str, Any]]:
    if last is None:
        return []
    after = datetime.fromisoformat(last.after) - LOOKBACK
    pattern = "%Y-%m-%dT%H:%M:%S.%fZ"  # the server answers any other with 500
    return [where("updated_at", "greater", "Datetime", after.strftime(pattern))]


def _status(annotation: Mapping[str, Any]) -> Status:
    return "skipped" if annotation["was_cancelled"] else "submitted"


def _time(at: str) -> str:
    """A time in ISO 8601 with its zone and six digits, so that times compare as text."""
    time = moment(at)
    assert time is not None
    return time.isoformat(timespec="microseconds")
