"""What a pull reads when clocks are wrong: a Label Studio of a few tasks, without a server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from curate.backends.label_studio.answers import Answers, Cursor
from curate.records import Key, Project, Pulled, User
from tests.backends.contract import TOPIC

PROJECT = Project("label_studio", "http://127.0.0.1", "clock-r01", "1", TOPIC, 1, "", "born")
NOW = "2026-11-24T12:00:00.000000+00:00"


class Tasks:
    """The tasks of a project, with what the client of their server can be asked."""

    identity = "server"

    def __init__(self) -> None:
        self.rows: dict[int, dict[str, Any]] = {}
        self.readings: list[int] = []
        self.now = NOW

    def say(self, task: int, value: str, at: str, user: int = 1) -> None:
        annotation = {
            "id": 100 * task + user,
            "completed_by": user,
            "updated_by": user,
            "was_cancelled": False,
            "created_at": at,
            "updated_at": at,
            "lead_time": 1.0,
            "result": [
                {
                    "from_name": "topic",
                    "to_name": "text",
                    "type": "choices",
                    "value": {"choices": [value]},
                }
            ],
        }
        data = {"record_id": f"t{task}", "text": f"text {task}"}
        row = self.rows.setdefault(task, {"id": task, "data": data, "annotations": []})
        row["updated_at"] = at
        row["annotations"].append(annotation)

    def users(self) -> dict[int, User]:
        return {1: User("server/1", "ann@example.org"), 2: User("server/2", "bob@example.org")}

    def tasks(
        self, project: str, fields: str, *filters: Mapping[str, Any]
    ) -> Iterator[dict[str, Any]]:
        names = {condition["filter"].rpartition(":")[2] for condition in filters}
        if "draft_exists" in names:
            return
        since = [each["value"] for each in filters if each["filter"].endswith("updated_at")]
        shown = [
            row
            for row in self.rows.values()
            if all(row["updated_at"].replace("+00:00", "Z") > after for after in since)
        ]
        self.readings.append(len(shown))
        yield from shown

    def count_answers(self, project: str) -> tuple[int, str]:
        return sum(len(row["annotations"]) for row in self.rows.values()), self.now

    def count_tasks(self, project: str, *filters: Mapping[str, Any]) -> int:
        return len(self.rows)


def pull(tasks: Tasks, cursor: str | None, known: Mapping[Key, str]) -> Pulled:
    answers = Answers(tasks, PROJECT, known=known)  # type: ignore[arg-type]
    return answers.pull(cursor, accept_withdrawals=False)


def known(*pulled: Pulled) -> dict[Key, str]:
    return {answer.key: answer.mark for part in pulled for answer in part.annotations}


def test_a_clock_that_was_ahead_hides_no_later_answer() -> None:
    tasks = Tasks()
    for number in range(1, 9):
        tasks.rows[number] = {
            "id": number,
            "data": {"record_id": f"t{number}", "text": ""},
            "updated_at": "2026-11-24T11:00:00.000000+00:00",
            "annotations": [],
        }
    tasks.say(1, "news", "2026-11-24T13:00:00.000000+00:00")  # an hour ahead
    first = pull(tasks, None, {})
    assert first.cursor is not None
    assert Cursor.parse(first.cursor).after == NOW
    for number in range(2, 9):
        tasks.say(number, "code", "2026-11-24T12:00:01.000000+00:00")
    second = pull(tasks, first.cursor, known(first))
    assert {answer.id for answer in second.annotations} == {f"t{n}" for n in range(2, 9)}


def test_a_cursor_of_an_earlier_version_that_is_ahead_hides_no_answer() -> None:
    tasks = Tasks()
    tasks.say(1, "news", "2026-11-24T11:00:00.000000+00:00")
    first = pull(tasks, None, {})
    ahead = '{"after": "2026-11-24T15:00:00.000000+00:00", "last_id": 2, "tasks": 2}'
    tasks.say(2, "code", "2026-11-24T11:59:00.000000+00:00")
    second = pull(tasks, ahead, known(first))
    assert [answer.id for answer in second.annotations] == ["t2"]
    assert second.cursor is not None
    assert Cursor.parse(second.cursor).after < NOW


@pytest.mark.parametrize(
    "back", ["2026-11-24T11:50:00", "2026-11-20T11:50:00", "1970-01-01T00:01:00"]
)
def test_a_clock_that_was_set_back_hides_no_edit(back: str) -> None:
    """The number of answers stays the same, and the newest change is older than the last."""
    tasks = Tasks()
    for number in (1, 2, 3):
        tasks.say(number, "news", "2026-11-24T11:59:00.000000+00:00")
    first = pull(tasks, None, {})
    tasks.rows[2]["annotations"].clear()
    tasks.say(2, "code", f"{back}.000000+00:00")
    tasks.now = f"{back[:-1]}5.000000+00:00"
    second = pull(tasks, first.cursor, known(first))
    assert [(answer.id, answer.value) for answer in second.annotations] == [("t2", "code")]


def test_an_answer_that_somebody_else_changed_is_theirs_though_the_clock_was_set_back() -> None:
    tasks = Tasks()
    tasks.say(1, "news", "2026-11-24T11:00:00.000000+00:00")
    first = pull(tasks, None, {})
    (annotation,) = tasks.rows[1]["annotations"]
    tasks.say(2, "code", "2026-11-20T11:00:00.000000+00:00")
    (other,) = tasks.rows.pop(2)["annotations"]
    annotation |= {"result": other["result"], "updated_by": 2, "updated_at": other["updated_at"]}
    second = pull(tasks, None, known(first))
    assert [(answer.account, answer.value) for answer in second.annotations] == [
        ("bob@example.org", "code")
    ]


@pytest.mark.parametrize("seconds", ["01", "59"])
def test_two_answers_of_one_person_do_not_make_every_pull_read_all(seconds: str) -> None:
    tasks = Tasks()
    for number in range(1, 6):
        tasks.say(number, "news", "2026-11-24T10:00:00.000000+00:00")
    tasks.say(1, "code", f"2026-11-24T10:01:{seconds}.000000+00:00")
    first = pull(tasks, None, {})
    assert first.cursor is not None
    assert Cursor.parse(first.cursor).extra == 1
    tasks.say(2, "code", "2026-11-24T11:00:00.000000+00:00", user=2)
    tasks.readings.clear()
    second = pull(tasks, first.cursor, known(first))
    assert [(answer.id, answer.account) for answer in second.annotations] == [
        ("t2", "bob@example.org")
    ]
    assert sum(tasks.readings) < 5


def test_an_answer_travels_with_the_text_that_its_task_has_now() -> None:
    tasks = Tasks()
    tasks.say(1, "news", "2026-11-24T11:00:00.000000+00:00")
    tasks.rows[1]["data"]["text"] = "another text"
    (answer,) = pull(tasks, None, {}).annotations
    assert answer.shown == {"text": "another text"}
