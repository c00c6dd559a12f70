"""Answers on an Argilla dataset: which there are, which are new, which are gone.

The server cannot say which answers are new: a record's `updated_at` stands still, and its search
engine may lag. So if anybody has answered since the last pull, all records are read again and
compared at home; if nobody has, three small requests say so.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from curate.backends.argilla.client import Client, external_id, time_of, well_formed
from curate.backends.argilla.text import restored
from curate.backends.argilla.values import read_values
from curate.backends.backend import refuse_losses
from curate.records import Annotation, Form, Key, Project, Pulled, Status

STATUS: dict[str, Status] = {"submitted": "submitted", "draft": "draft", "discarded": "skipped"}
"""What a response's status means: a discard uses its person up for the task, as a skip does."""


@dataclass(frozen=True)
class Activity:
    """What moves when anybody answers; `seen` is how many answers a pull then found.

    Answers are counted beside the time of the last one, because the time stands still when a
    record is deleted, and when an owner writes answers in bulk.
    """

    last: str
    counts: Mapping[str, Mapping[str, int]]
    records: int
    seen: int = 0

    @staticmethod
    def parse(cursor: str | None) -> Activity | None:
        """Read a cursor; None if it is none of ours: then everything is read."""
        try:
            return Activity(**json.loads(cursor or ""))
        except (ValueError, TypeError):
            return None

    def __str__(self) -> str:
        return json.dumps(asdict(self))


class Answers:
    """The answers of one project, seen through the client of its server."""

    def __init__(self, client: Client, project: Project) -> None:
        self.client = client
        self.project = project

    def pull(
        self, cursor: str | None, known: Mapping[Key, str], *, accept_withdrawals: bool
    ) -> Pulled:
        """Return answers new or changed since the cursor, those gone, and the next cursor.

        Raises ProjectMismatch if more than a few submitted answers are gone at once.
        """
        now = self._activity()  # first: what comes meanwhile is then seen next time
        before = Activity.parse(cursor)
        if before is not None and replace(now, seen=before.seen) == before:
            return Pulled((), cursor, before.seen)
        found, records = self.read()
        missing = {
            key
            for key, mark in known.items()
            if key not in found and not mark.startswith("withdrawn|")
        }
        if missing:  # once more, before we say that somebody's answer is gone
            again, records = self.read()
            missing -= again.keys()
        gone = [_withdrawal(key, known[key], records) for key in sorted(missing)]
        if not accept_withdrawals:
            refuse_losses(gone, known, self.project.name)
        news = [each for each in found.values() if known.get(each.key) != each.mark]
        return Pulled((*news, *gone), str(replace(now, seen=len(found))), len(found))

    def _activity(self) -> Activity:
        """Return what moves with every answer, without reading them."""
        with well_formed():
            last = str(self.client.dataset(self.project.key)["last_activity_at"])
        return Activity(last, self.counts(), self.client.count_records(self.project.key))

    def counts(self) -> dict[str, dict[str, int]]:
        """Return, by account, how many records it submitted, skipped or began."""
        answer = self.client.request("GET", f"datasets/{self.project.key}/users/progress")
        counts: dict[str, dict[str, int]] = {}
        with well_formed():
            for user in answer["users"]:
                states = Counter[str]()
                for queue in ("completed", "pending"):
                    for status, ours in STATUS.items():
                        states[ours] += user[queue][status]
                counts[user["username"]] = {status: n for status, n in states.items() if n}
        return {account: states for account, states in sorted(counts.items()) if states}

    def read(self) -> tuple[dict[Key, Annotation], set[str]]:
        """Return all answers, and the ids of all records."""
        accounts = {str(each.id): each.username for each in self.client.users()}

        def keep(record: Mapping[str, Any]) -> tuple[str, list[Annotation]]:
            return external_id(record), list(_answers(self.project.form, record, accounts))

        read = self.client.records(self.project.key, keep, responses=True)
        answers = {each.key: each for _, rows in read for each in rows}
        return answers, {id for id, _ in read}


def _answers(
    form: Form, record: Mapping[str, Any], accounts: Mapping[str, str]
) -> Iterator[Annotation]:
    """Yield what people answered to a record, one row per question."""
    id, texts = external_id(record), _shown(form, record["fields"])
    for response in record["responses"]:
        user = str(response["user_id"])
        account = accounts.get(user, f"deleted account {user}")
        status, at = STATUS[response["status"]], time_of(response["updated_at"])
        given = Annotation(id, "", account, None, status, at)
        if status == "skipped":
            yield from (replace(given, question=each.name) for each in form.questions)
            continue
        for name, (value, wrong) in read_values(form, response["values"], texts).items():
            answer = replace(given, question=name, value=value)
            yield replace(answer, status="rejected", reason=wrong) if wrong else answer


def _shown(form: Form, fields: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts of a record as they were pushed."""
    return {
        name: restored(str(fields.get(name) or ""))
        for name in form.fields
        if name not in form.images
    }


def _withdrawal(key: Key, mark: str, records: Collection[str]) -> Annotation:
    if key[0] not in records:
        reason = "its record is gone from the server"
    elif mark.startswith("draft|"):
        reason = "the draft was discarded"
    else:
        reason = "deleted on the server"
    return Annotation(*key, None, "withdrawn", reason=reason)
