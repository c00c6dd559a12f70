"""Answers on a Label Studio project: which there are, which are new, which are gone.

A task's `updated_at` moves with everything that happens to its answers, their deletion too; so an
incremental pull reads the tasks changed since the last one and replaces all their answers. The
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
"""What to ask of tasks; the server drops nested fields too that are not named here."""

ANSWERS = f"{STATES},result,lead_time"
OVERLAP = timedelta(seconds=5)
"""How far a pull looks behind its cursor: two answers may be stored out of order."""


@dataclass(frozen=True)
class Cursor:
    """Where a pull ended: the newest change, and how many tasks there were up to which id."""

    after: str
    last_id: int
    tasks: int

    @staticmethod
    def parse(text: str) -> Cursor:
        """Read a cursor. Raises BackendError if it is none of ours."""
        try:
            return Cursor(**json.loads(text))
        except (ValueError, TypeError):
            raise BackendError(f"not a cursor of Label Studio: {text[:80]}") from None

    def __str__(self) -> str:
        return json.dumps(asdict(self))


@dataclass
class Reading:
    """What was read: answers by key, the records they are of, and how far it goes."""

    annotations: dict[Key, Annotation] = field(default_factory=dict)
    records: set[str] = field(default_factory=set)
    tasks: list[int] = field(default_factory=list)
    after: str = ""

    def add(self, answers: Iterable[Annotation]) -> None:
        """Keep the newest answer of each key: one person may have given several."""
        for each in answers:
            before = self.annotations.get(each.key)
            if before is None or str(each.at) >= str(before.at):
                self.annotations[each.key] = each


class Answers:
    """The answers of one project, seen through the client of its server."""

    def __init__(self, client: Client, project: Project) -> None:
        self.client = client
        self.project = project

    @cached_property
    def accounts(self) -> dict[int, str]:
        """The e-mail of everyone on the server, by user id."""
        return self.client.accounts()

    def pull(
        self, cursor: str | None, known: Mapping[Key, str], *, accept_withdrawals: bool
    ) -> Pulled:
        """Return answers new or changed since the cursor, those gone, and the next cursor.

        Raises ProjectMismatch if more than a few submitted answers are gone at once.
        """
        last = Cursor.parse(cursor) if cursor else None
        drafts = self._drafts()  # first: one that is submitted meanwhile is then seen as submitted
        reading = self.read(*_since(last))
        present, after = self._census(last, reading)
        found = {**drafts, **reading.annotations}
        missing = {
            key
            for key, mark in known.items()
            if key not in found and not mark.startswith("withdrawn|")
        }
        gone = list(self._gone(missing, known, reading.records, present))
        if not accept_withdrawals:
            refuse_losses(gone, known, self.project.name)
        news = [each for each in found.values() if known.get(each.key) != each.mark]
        return Pulled((*news, *gone), str(after) if after else None, len(found))

    def counts(self) -> tuple[dict[str, Counter[str]], int]:
        """Return, by account, on how many tasks its last word is what; and how many tasks are."""
        newest: dict[tuple[str, str], tuple[str, str]] = {}
        records = set()
        for task in self.client.tasks(self.project.key, STATES):
            with well_formed():
                record = task["data"][RECORD]
                records.add(record)
                for each in task["annotations"]:
                    key = (record, self._account(each["completed_by"]))
                    state = (_time(each["updated_at"]), _status(each))
                    newest[key] = max(newest.get(key, state), state)
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for (_, account), (_, status) in newest.items():
            counts[account][status] += 1
        for _, account in {(id, account) for id, _, account in self._drafts()}:
            counts[account]["draft"] += 1
        return dict(counts), len(records)

    # ── reading

    def read(self, *where: Mapping[str, Any]) -> Reading:
        """Return all answers to the tasks that match."""
        reading = Reading()
        for task in self.client.tasks(self.project.key, ANSWERS, *where):
            with well_formed():
                reading.tasks.append(task["id"])
                reading.records.add(task["data"][RECORD])
                reading.after = max(reading.after, _time(task["updated_at"]))
                for each in task["annotations"]:
                    account = self._account(each["completed_by"])
                    reading.add(self._rows(task["data"], each, account, _status(each)))
        return reading

    def _rows(
        self, data: Mapping[str, Any], each: Mapping[str, Any], account: str, status: Status
    ) -> Iterator[Annotation]:
        """Yield one answer per question."""
        form = self.project.form
        texts = {name: str(data.get(name, "")) for name in form.fields}
        given = Annotation(
            data[RECORD], "", account, None, status, _time(each["updated_at"]), each["lead_time"]
        )
        if status == "skipped":
            yield from (replace(given, question=question.name) for question in form.questions)
            return
        for name, (value, wrong) in read_result(form, each["result"], texts).items():
            answer = replace(given, question=name, value=value)
            yield replace(answer, status="rejected", reason=wrong) if wrong else answer

    def _account(self, user: int | None) -> str:
        return self.accounts.get(user or 0, f"deleted account {user}")

    def _drafts(self) -> dict[Key, Annotation]:
        """Return what people have begun, as saved by their browser, where they submitted nothing.

        A draft does not move its task's `updated_at`, so drafts are read afresh each time: one
        request for all tasks that have any, and one for each of these.
        """
        reading = Reading()
        begun = where("draft_exists", "equal", "Boolean", "true")
        for task in self.client.tasks(self.project.key, ANSWERS, begun):
            drafts = self.client.request("GET", f"api/tasks/{task['id']}/drafts")
            with well_formed():
                answered = {self._account(each["completed_by"]) for each in task["annotations"]}
                for each in drafts:
                    if each["annotation"] is None and each["user"] not in answered:
                        reading.add(self._rows(task["data"], each, each["user"], "draft"))
        return reading.annotations

    # ── what is gone

    def _census(
        self, last: Cursor | None, reading: Reading
    ) -> tuple[set[str] | None, Cursor | None]:
        """Return the records that are there (None if none went missing), and the next cursor."""
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
        there = dict(self.client.records(self.project.key))
        return set(there.values()), Cursor(after, newest, sum(id <= newest for id in there))

    def _gone(
        self,
        missing: set[Key],
        known: Mapping[Key, str],
        read: set[str],
        present: set[str] | None,
    ) -> Iterator[Annotation]:
        """Yield a withdrawal for each missing answer that is really gone, with the reason.

        A record may stand on two tasks, of which only one was read: its answers are looked up.
        """
        doubtful = sorted({id for id, _, _ in missing if id in read})
        still: set[Key] = set()
        for chunk in chunks(doubtful, LOOKUP):
            still |= self.read(where_records(chunk)).annotations.keys()
        for key in sorted(missing - still):
            if present is not None and key[0] not in present:
                yield Annotation(*key, None, "withdrawn", reason="its task is gone from the server")
            elif key[0] in read:
                yield Annotation(*key, None, "withdrawn", reason="deleted on the server")
            elif known[key].startswith("draft|"):
                yield Annotation(*key, None, "withdrawn", reason="the draft was discarded")


def _since(last: Cursor | None) -> list[dict[str, Any]]:
    if last is None:
        return []
    after = datetime.fromisoformat(last.after) - OVERLAP
    form = "%Y-%m-%dT%H:%M:%S.%fZ"  # any other is answered with 500
    return [where("updated_at", "greater", "Datetime", after.strftime(form))]


def _status(annotation: Mapping[str, Any]) -> Status:
    return "skipped" if annotation["was_cancelled"] else "submitted"


def _time(at: str) -> str:
    """Return a time with its zone and all six digits, so that times compare as text."""
    time = moment(at)
    assert time is not None
    return time.isoformat(timespec="microseconds")
