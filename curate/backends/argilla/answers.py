"""Answers on an Argilla dataset: which exist, which are new, which are gone.

The server cannot say which answers are new: a record's `updated_at` does not move, and its search
engine may lag. So if anybody has answered since the last pull, all records are read again (about a
thousand in half a second) and compared with the known answers. If nobody has, three small requests
are enough.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from curate.backends.argilla.client import Client, external_id, known_user, time_of, well_formed
from curate.backends.argilla.text import restored
from curate.backends.argilla.values import read_values
from curate.backends.backend import EVERYONE_BY_LOGIN, refuse_losses
from curate.records import Annotation, Authors, Form, Key, Project, Pulled, Status, User

STATUS: dict[str, Status] = {"submitted": "submitted", "draft": "draft", "discarded": "skipped"}
"""A response's status → ours: neither a discard nor a skip is asked of the person again."""


@dataclass(frozen=True)
class Activity:
    """What changes when anybody answers; `seen` is how many answers a pull then read.

    Answers are counted beside the time of the last one, because that time does not change when a
    record is deleted or an owner writes answers in bulk.
    """

    last: str
    counts: Mapping[str, Mapping[str, int]]
    records: int
    seen: int = 0

    @staticmethod
    def parse(cursor: str | None) -> Activity | None:
        """Read a cursor; None if it is not one of ours: then everything is read."""
        try:
            return Activity(**json.loads(cursor or ""))
        except (ValueError, RecursionError, TypeError):
            return None

    def __str__(self) -> str:
        return json.dumps(asdict(self))


class Answers:
    """The answers of one project, read with the client of its server."""

    def __init__(
        self, client: Client, project: Project, authors: Authors = EVERYONE_BY_LOGIN
    ) -> None:
        self.client = client
        self.project = project
        self.authors = authors

    def pull(
        self, cursor: str | None, known: Mapping[Key, str], *, accept_withdrawals: bool
    ) -> Pulled:
        """Fetch the answers new or changed since the cursor, the gone ones, and the next cursor.

        Raises ProjectMismatch if more than a few submitted answers are gone at once.
        """
        now = self._activity()  # taken first: the next pull sees what arrives meanwhile
        before = Activity.parse(cursor)
        if before is not None and replace(now, seen=before.seen) == before:
            return Pulled((), cursor, before.seen)
        answers, records = self.read()
        missing = {
            key
            for key, mark in known.items()
            if key not in answers and not mark.startswith("withdrawn|")
        }
        if missing:  # read again before an answer counts as gone
            again, records = self.read()
            missing -= again.keys()
        withdrawals = [
            _withdrawal(key, known[key], records)
            for key in sorted(missing)
            if key[2] not in self.authors.left
        ]
        if not accept_withdrawals:
            refuse_losses(withdrawals, known, self.project.name)
        changed = [answer for answer in answers.values() if known.get(answer.key) != answer.mark]
        after = str(replace(now, seen=len(answers)))
        return Pulled((*changed, *withdrawals), after, len(answers))

    def _activity(self) -> Activity:
        """What changes with every answer, without reading the answers."""
        with well_formed():
            last = str(self.client.dataset(self.project.key)["last_activity_at"])
        return Activity(last, self.counts(), self.client.count_records(self.project.key))

    def counts(self) -> dict[str, dict[str, int]]:
        """Account → status (submitted, draft or skipped) → number of records."""
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
        """All answers by key, and our ids of all records."""
        users = {str(user.id): known_user(user) for user in self.client.users()}

        def account_of(user: str) -> str:
            return self.authors.of(users.get(user, User(f"argilla/{user}", "")))

        def keep(record: Mapping[str, Any]) -> tuple[str, list[Annotation]]:
            return external_id(record), list(_answers(self.project.form, record, account_of))

        records = self.client.records(self.project.key, keep, responses=True)
        answers: dict[Key, Annotation] = {}
        for answer in (answer for _, rows in records for answer in rows):
            before = answers.get(answer.key)  # a person may answer under two accounts
            if before is None or str(answer.at) >= str(before.at):
                answers[answer.key] = answer
        return answers, {id for id, _ in records}


def _answers(
    form: Form, record: Mapping[str, Any], account_of: Callable[[str], str]
) -> Iterator[Annotation]:
    """Yield people's answers to a record, one for each question."""
    id, texts = external_id(record), _shown(form, record["fields"])
    for response in record["responses"]:
        author = account_of(str(response["user_id"] or f"answer-{response['id']}"))
        status, at = STATUS[response["status"]], time_of(response["updated_at"])
        template = Annotation(id, "", author, None, status, at, shown=texts)
        if status == "skipped":
            yield from (replace(template, question=question.name) for question in form.questions)
            continue
        for name, (value, wrong) in read_values(form, response["values"], texts).items():
            answer = replace(template, question=name, value=value)
            yield replace(answer, status="rejected", reason=wrong) if wrong else answer


def _shown(form: Form, fields: Mapping[str, Any]) -> dict[str, str]:
    """The texts of a record as they were pushed."""
    return {
        name: restored(str(fields.get(name) or ""))
        for name in form.fields
        if form.medium(name) is None
    }


def _withdrawal(key: Key, mark: str, records: Collection[str]) -> Annotation:
    if key[0] not in records:
        reason = "its record is gone from the server"
    elif mark.startswith("draft|"):
        reason = "the draft was discarded"
    else:
        reason = "deleted on the server"
    return Annotation(*key, None, "withdrawn", reason=reason)
