"""Answers on a Label Studio project: which exist, which are new, which are gone.

A task's `updated_at` changes with everything that happens to its answers, their deletion too. So
an incremental pull reads the tasks changed since the last one and replaces all their answers. The
deletion of a task leaves no trace: the cursor counts the tasks, and a missing one is looked for.

A server's clock can be wrong. So the cursor never passes the server's present, and the server's
number of answers is compared with what is at home: if they differ again, everything is read.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from math import inf
from types import MappingProxyType
from typing import Any

from curate.backends.backend import EVERYONE_BY_LOGIN, Recognition, refuse_losses
from curate.backends.label_studio.client import (
    LOOKUP,
    RECORD,
    Client,
    chunks,
    well_formed,
    where,
    where_records,
)
from curate.backends.label_studio.page import texts_of
from curate.backends.label_studio.values import read_result
from curate.errors import BackendError
from curate.records import Annotation, Authors, Key, Project, Pulled, Status, User, moment

STATES = "id,data,updated_at,annotations,completed_by,updated_by,was_cancelled,created_at"
"""The fields of tasks to ask for; the server leaves out nested fields too, if not named here."""

ANSWERS = f"{STATES},result,lead_time"
PUT_BACK = timedelta(milliseconds=5)
"""How long after its first moment an annotation that is put back may have its last.

Measured: 0.05 ms; a change is a request of its own.
"""

LOOKBACK = timedelta(seconds=5)
"""How far a pull looks behind its cursor: two answers may be stored out of order."""


@dataclass(frozen=True)
class Cursor:
    """Where a pull ended: the newest change, the last task id, and the number of tasks up to it.

    `extra` is how many more answers the server had than were then at home: a person's second ones.
    """

    after: str
    last_id: int
    tasks: int
    extra: int = 0

    @staticmethod
    def parse(text: str) -> Cursor:
        """Read a cursor. Raises BackendError if it is not one of ours."""
        try:
            return Cursor(**json.loads(text))
        except (ValueError, RecursionError, TypeError):
            raise BackendError(f"not a cursor of Label Studio: {text[:80]}") from None

    def __str__(self) -> str:
        return json.dumps(asdict(self))


@dataclass
class Reading:
    """What was read: answers by key, their records and task ids, and the newest change.

    `changed_by_others` are the keys of authors whose answers somebody else has changed since.
    `answers` counts what the server has, a person's second answers too.
    """

    annotations: dict[Key, Annotation] = field(default_factory=dict)
    changed_by_others: set[Key] = field(default_factory=set)
    records: set[str] = field(default_factory=set)
    tasks: list[int] = field(default_factory=list)
    after: str = ""
    answers: int = 0

    def add(self, answers: Iterable[Annotation]) -> None:
        """Keep the newest answer of each key: one person may have given several."""
        for answer in answers:
            before = self.annotations.get(answer.key)
            if before is None or str(answer.at) >= str(before.at):
                self.annotations[answer.key] = answer


@dataclass(frozen=True)
class Fetch:
    """What one reading brings: answers new or changed, gone ones, and where it ended.

    `seen` counts the answers read as curate counts them, `answers` as the server does.
    """

    changed: list[Annotation]
    withdrawals: list[Annotation]
    cursor: Cursor | None
    seen: int
    answers: int


class Answers:
    """The answers of one project, read with the client of its server."""

    def __init__(
        self,
        client: Client,
        project: Project,
        authors: Authors = EVERYONE_BY_LOGIN,
        known: Mapping[Key, str] = MappingProxyType({}),
    ) -> None:
        self.client = client
        self.project = project
        self.authors = authors
        self.known = known
        self.recognition = Recognition(known, authors)

    @cached_property
    def users(self) -> dict[int, User]:
        """User id → user, of everyone on the server."""
        return self.client.users()

    def pull(self, cursor: str | None, *, accept_withdrawals: bool) -> Pulled:
        """Fetch the answers new or changed since the cursor, the gone ones, and the next cursor.

        Raises ProjectMismatch if more than a few submitted answers are gone at once.
        """
        last = Cursor.parse(cursor) if cursor else None
        counted, present = self.client.count_answers(self.project.key)
        if last is not None and _time(present) < last.after:
            last = None  # the server's clock was set back: new answers have old times
        drafts = self._drafts()  # read first: one submitted meanwhile is then read as submitted
        fetched = self._fetch(last, drafts)
        if last is not None and counted - self._at_home(fetched) != last.extra:
            last, fetched = None, self._fetch(None, drafts)
        if not accept_withdrawals:
            refuse_losses(fetched.withdrawals, self.known, self.project.name)
        after = fetched.cursor
        if after is not None:
            extra = last.extra if last else fetched.answers - self._at_home(fetched)
            after = replace(after, after=min(after.after, _time(present)), extra=extra)
        pulled = (*fetched.changed, *fetched.withdrawals)
        return Pulled(pulled, str(after) if after else None, fetched.seen)

    def _fetch(self, last: Cursor | None, drafts: Mapping[Key, Annotation]) -> Fetch:
        """Read what is new since `last`; None reads everything."""
        reading = self.read(*_since(last))
        present, after = self._census(last, reading)
        answers = {**drafts, **reading.annotations}
        missing = {
            key
            for key, mark in self.known.items()
            if key not in answers and not mark.startswith("withdrawn|")
        } - reading.changed_by_others
        return Fetch(
            changed=[
                answer for answer in answers.values() if self.known.get(answer.key) != answer.mark
            ],
            withdrawals=[
                answer
                for answer in self._withdrawals(missing, reading.records, present)
                if answer.account not in self.authors.left
            ],
            cursor=after,
            seen=len(answers),
            answers=reading.answers,
        )

    def _at_home(self, fetched: Fetch) -> int:
        """How many pairs of task and person have an answer at home once these have come."""
        came = {answer.key: answer.mark for answer in (*fetched.changed, *fetched.withdrawals)}
        return len(
            {
                (id, account)
                for (id, _, account), mark in {**self.known, **came}.items()
                if not mark.startswith(("draft|", "withdrawn|"))
            }
        )

    def counts(self) -> tuple[dict[str, Counter[str]], int]:
        """Account → status of its last answer → number of tasks; and the number of all tasks."""
        newest: dict[tuple[str, str], tuple[str, str]] = {}
        records = set()
        for task in self.client.tasks(self.project.key, STATES):
            with well_formed():
                record = task["data"][RECORD]
                records.add(record)
                for annotation in task["annotations"]:
                    user = _editor(annotation) or annotation["completed_by"]
                    key = (record, self._account(user, annotation))
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
                reading.answers += len(task["annotations"])
                for annotation in task["annotations"]:
                    reading.add(self._authored(task["data"], annotation, reading))
        return reading

    def _authored(
        self, data: Mapping[str, Any], annotation: Mapping[str, Any], reading: Reading
    ) -> list[Annotation]:
        """The answers of an annotation under the account of whoever said them.

        If somebody else has changed it, they are the editor's, and what the author said stands.
        """
        status, author = _status(annotation), annotation["completed_by"]
        account = self._account(author, annotation)
        rows = list(self._rows(data, annotation, account, status))
        if author not in self.users:
            account = self.recognition.author(rows) or account
            rows = [replace(row, account=account) for row in rows]
        editor = _editor(annotation)
        if editor is None or all(_says(self.known.get(row.key), row) for row in rows):
            return rows
        reading.changed_by_others.update(row.key for row in rows if row.key in self.known)
        return [replace(row, account=self._account(editor, annotation)) for row in rows]

    def _rows(
        self, data: Mapping[str, Any], annotation: Mapping[str, Any], account: str, status: Status
    ) -> Iterator[Annotation]:
        """Yield the answers of an annotation or a draft, one for each question."""
        form = self.project.form
        texts = texts_of(form, data)
        at, seconds = _time(annotation["updated_at"]), _seconds(annotation["lead_time"])
        template = Annotation(data[RECORD], "", account, None, status, at, seconds, shown=texts)
        if status == "skipped":
            yield from (replace(template, question=question.name) for question in form.questions)
            return
        for name, (value, wrong) in read_result(form, annotation["result"], texts).items():
            answer = replace(template, question=name, value=value)
            yield replace(answer, status="rejected", reason=wrong) if wrong else answer

    def _account(self, user: int | None, annotation: Mapping[str, Any]) -> str:
        """The account of a user; one who was deleted is known by the annotation alone."""
        if user in self.users:
            return self.authors.of(self.users[user])
        number = f"answer-{annotation['id']}" if user is None else user
        return self.authors.of(User(f"{self.client.identity}/{number}", ""))

    def _drafts(self) -> dict[Key, Annotation]:
        """The drafts that people's browsers saved, on tasks where they submitted nothing.

        A draft does not change its task's `updated_at`, so all drafts are read each time: one
        request for all tasks that have any, and one for each of these.
        """
        reading = Reading()
        by_login = {user.login: user for user in self.users.values()}
        has_draft = where("draft_exists", "equal", "Boolean", "true")
        for task in self.client.tasks(self.project.key, ANSWERS, has_draft):
            drafts = self.client.request("GET", f"api/tasks/{task['id']}/drafts")
            with well_formed():
                answered = {
                    self._account(annotation["completed_by"], annotation)
                    for annotation in task["annotations"]
                }
                for draft in drafts:
                    user = by_login.get(draft["user"])
                    if user is None or draft["annotation"] is not None:
                        continue
                    account = self.authors.of(user)
                    if account not in answered:
                        reading.add(self._rows(task["data"], draft, account, "draft"))
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
        records: set[str],
        present: set[str] | None,
    ) -> Iterator[Annotation]:
        """Yield a withdrawal for each missing answer that is really gone, with the reason.

        If a record is on two tasks and only one was read, its answers are looked up.
        """
        doubtful = sorted({id for id, _, _ in missing if id in records})
        present_keys: set[Key] = set()
        for chunk in chunks(doubtful, LOOKUP):
            again = self.read(where_records(chunk))
            present_keys |= again.annotations.keys() | again.changed_by_others
        for key in sorted(missing - present_keys):
            if present is not None and key[0] not in present:
                yield Annotation(*key, None, "withdrawn", reason="its task is gone from the server")
            elif key[0] in records:
                yield Annotation(*key, None, "withdrawn", reason="deleted on the server")
            elif self.known[key].startswith("draft|"):
                yield Annotation(*key, None, "withdrawn", reason="the draft was discarded")


def _since(last: Cursor | None) -> list[dict[str, Any]]:
    if last is None:
        return []
    after = datetime.fromisoformat(last.after) - LOOKBACK
    pattern = "%Y-%m-%dT%H:%M:%S.%fZ"  # the server answers any other with 500
    return [where("updated_at", "greater", "Datetime", after.strftime(pattern))]


def _status(annotation: Mapping[str, Any]) -> Status:
    return "skipped" if annotation["was_cancelled"] else "submitted"


def _editor(annotation: Mapping[str, Any]) -> int | None:
    """The user who changed an annotation of somebody else; None if nobody did.

    An annotation that was put back for a person names the curator too, from its first moment on.
    """
    editor: int | None = annotation.get("updated_by")
    if editor in (None, annotation["completed_by"]):
        return None
    made, changed = moment(annotation["created_at"]), moment(annotation["updated_at"])
    assert made is not None
    assert changed is not None
    return editor if abs(changed - made) > PUT_BACK else None  # clocks are set back


def _says(mark: str | None, answer: Annotation) -> bool:
    """Whether a known answer says the same as one that was read, at whatever time."""
    return mark is not None and mark.rpartition("|")[0] == answer.mark.rpartition("|")[0]


def _seconds(lead_time: float | None) -> float | None:
    """The seconds that an answer took, as its browser said; None for what can be no time."""
    return lead_time if lead_time is not None and 0 <= lead_time < inf else None


def _time(at: str) -> str:
    """A time in ISO 8601 with its zone and six digits, so that times compare as text."""
    time = moment(at)
    assert time is not None
    return time.isoformat(timespec="microseconds")
