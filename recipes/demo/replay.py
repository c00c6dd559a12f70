"""Answer a round on Label Studio as people would: by account, over HTTP, all at once.

The answers are recorded human ratings, drawn by a seed. Some texts are skipped, and some answers
are edited afterwards, as people do.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from recipes.demo.data import drawn, polarity

SKIPPED, EDITED = 0.02, 0.03
"""The share of answers that are skips, and of those that are changed once afterwards."""


@dataclass(frozen=True)
class PlannedAnswer:
    """One answer in its last state: what a pull must bring home."""

    account: str
    id: str
    value: str | None
    status: str
    edits: int


def plan(
    tasks: Sequence[Mapping[str, Any]],
    ratings: Mapping[str, Sequence[int]],
    accounts: Sequence[str],
    seed: int,
    *,
    skipped: float = SKIPPED,
    edited: float = EDITED,
) -> list[PlannedAnswer]:
    """Plan one answer for each text and account, from the recorded ratings of the text."""
    answers = []
    for task in tasks:
        for account in accounts:
            chance = drawn(seed, task["id"], account)
            value = polarity(chance.choice(list(ratings[task["text"]])))
            position = chance.random()
            if position < skipped:
                answers.append(PlannedAnswer(account, task["id"], None, "skipped", 0))
            else:
                edits = int(position < skipped + edited)
                answers.append(PlannedAnswer(account, task["id"], value, "submitted", edits))
    return answers


@dataclass(frozen=True)
class Asked:
    """The question that is answered, and the field that it is about."""

    question: str = "sentiment"
    about: str = "text"

    def result(self, value: str | None) -> list[dict[str, Any]]:
        """An answer as the server stores it."""
        choice = {"from_name": self.question, "to_name": self.about, "type": "choices"}
        return [{**choice, "value": {"choices": [value]}}]


SENTIMENT = Asked()


def replay(
    url: str,
    tokens: Mapping[str, str],
    project: str,
    answers: Sequence[PlannedAnswer],
    asked: Asked = SENTIMENT,
) -> float:
    """Send the answers, all accounts at once, each with its own token; the result is in seconds."""
    started = time.monotonic()
    with ThreadPoolExecutor(len(tokens)) as pool:
        jobs = []
        for account, token in tokens.items():
            planned = [answer for answer in answers if answer.account == account]
            jobs.append(pool.submit(_answer_all, Client(url, token), project, planned, asked))
        for job in jobs:
            job.result()
    return time.monotonic() - started


def _answer_all(
    client: Client, project: str, answers: Sequence[PlannedAnswer], asked: Asked
) -> None:
    numbers = task_numbers(client, project)
    for answer in answers:
        path = f"/api/tasks/{numbers[answer.id]}/annotations/"
        if answer.status == "skipped":
            client.call("POST", path, {"result": [], "was_cancelled": True, "lead_time": 3.0})
            continue
        first = _other(answer.value) if answer.edits else answer.value
        annotation = client.call("POST", path, {"result": asked.result(first), "lead_time": 6.0})
        if answer.edits:
            edited = {"result": asked.result(answer.value), "lead_time": 9.0}
            client.call("PATCH", f"/api/annotations/{annotation['id']}/", edited)


def task_numbers(client: Client, project: str) -> dict[str, int]:
    """Read the server's number of every task in a project, by the task's record id."""
    numbers: dict[str, int] = {}
    page = 1
    while True:
        answer = client.call("GET", f"/api/tasks?project={project}&page={page}&page_size=500")
        numbers |= {task["data"]["record_id"]: task["id"] for task in answer["tasks"]}
        if len(numbers) >= answer["total"]:
            return numbers
        page += 1


def _other(value: str | None) -> str:
    return "neutral" if value != "neutral" else "positive"


class Client:
    """JSON over HTTP with a person's token."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url, token

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Send one request; the result is the JSON of the answer.

        A busy server is asked again, twice. Raises HTTPError for any other refusal.
        """
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Token {self._token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self._url + path, data, headers, method=method)
        for patience in (0.2, 1.0, None):
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    body = answer.read()
                    return json.loads(body) if body else None
            except urllib.error.HTTPError as error:
                if error.code < 500 or patience is None:
                    raise
                time.sleep(patience)
        raise AssertionError


def as_json(answers: Sequence[PlannedAnswer]) -> str:
    """The answers as JSON, for a file."""
    return json.dumps([asdict(answer) for answer in answers], indent=1)
