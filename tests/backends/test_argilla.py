"""The laws on a real Argilla, and what is particular to it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest

from curate.backends.argilla import backend as argilla
from curate.backends.argilla import client
from curate.backends.argilla.backend import ArgillaBackend
from curate.backends.argilla.client import Client, external_id
from curate.backends.argilla.text import restored
from curate.backends.argilla.values import write_values
from curate.errors import (
    BackendError,
    BackendUnavailable,
    DataError,
    NotAllowed,
    PartialPush,
    ProjectMismatch,
)
from curate.forms import parse_form
from curate.records import Annotation, Key, Project, Pulled, Suggestion, Task
from curate.servers import Home
from curate.servers.argilla import server
from tests import web
from tests.backends.contract import FORM, HOSTILE, TOPIC, Laws

pytestmark = pytest.mark.live


class ArgillaHands:
    """Acts through the API with each person's own key, as the browser does."""

    accounts = ("ann", "bob", "cy")
    inexpressible = ("pair",)
    numbers = itertools.count(1)

    def __init__(self, home: Home, http: httpx.Client) -> None:
        running = server.status(home)
        assert running is not None
        self.http = http
        self.url = running.url
        self.key = server.curator(home).token
        self.keys = {account.email: account.token for account in server.accounts(home)}
        self.backend = ArgillaBackend(self.url, self.key)
        self.admitted: set[str] = set()

    def name(self) -> str:
        return f"contract-0000abcd-r{next(self.numbers):02}"

    def call(self, account: str, method: str, path: str, body: Any = None) -> Any:
        """Return what the server answers a person."""
        headers = {"X-Argilla-Api-Key": self.keys.get(account, self.key)}
        url = f"{self.url}/api/v1/{path}"
        response = self.http.request(method, url, headers=headers, json=body)
        assert response.is_success, response.text[:500]
        return response.json() if response.content else None

    def answer(self, project: Project, id: str, account: str, values: Mapping[str, Any]) -> None:
        texts = {name: restored(text) for name, text in self.record(project, id)["fields"].items()}
        self.respond(project, id, account, "submitted", write_values(project.form, values, texts))

    def skip(self, project: Project, id: str, account: str) -> None:
        self.respond(project, id, account, "discarded", None)

    def respond(self, project: Project, id: str, account: str, status: str, values: Any) -> None:
        """Submit, discard or save a draft, as the page does."""
        if project.key not in self.admitted:
            self.backend.admit(project, self.accounts)
            self.admitted.add(project.key)
        record = self.record(project, id)["id"]
        item = {"record_id": record, "status": status, "values": values}
        (done,) = self.call(account, "POST", "me/responses/bulk", {"items": [item]})["items"]
        assert done["error"] is None, done["error"]

    def delete(self, project: Project, id: str, account: str) -> None:
        mine = self.call(account, "GET", "me")["id"]
        for response in self.record(project, id)["responses"]:
            if response["user_id"] == mine:
                self.call(account, "DELETE", f"responses/{response['id']}")

    def stored(self, project: Project) -> list[tuple[str, dict[str, str]]]:
        self.backend.admit(project, self.accounts)
        path = f"me/datasets/{project.key}/records/search?limit=1000"
        rows = [each["record"] for each in self.call(self.accounts[0], "POST", path, {})["items"]]
        return [
            (row["external_id"], {name: restored(text) for name, text in row["fields"].items()})
            for row in rows
        ]

    def lose(self, project: Project) -> None:
        self.call("", "DELETE", f"datasets/{project.key}")

    def make_pages_small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(client, "PAGE", 7)
        monkeypatch.setattr(argilla, "MOST", 6)

    def records(self, project: Project) -> list[Any]:
        """Return every record as the owner sees it."""
        path = f"datasets/{project.key}/records?limit=1000&include=responses,suggestions"
        return list(self.call("", "GET", path)["items"])

    def record(self, project: Project, id: str) -> Any:
        """Return one record."""
        (found,) = [each for each in self.records(project) if each["external_id"] == id]
        return found


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=60, verify=web.CONTEXT) as http:
        yield http


@pytest.fixture
def hands(argilla_home: Home, http: httpx.Client) -> ArgillaHands:
    return ArgillaHands(argilla_home, http)


class TestArgilla(Laws):
    """Every law holds on a real server."""


ANN, BOB, CY = ArgillaHands.accounts


@pytest.fixture
def project(hands: ArgillaHands) -> Project:
    project = hands.backend.ensure_project(hands.name(), TOPIC, overlap=2, guidelines="")
    assert len(list(hands.backend.push(project, tasks(4)))) == 4
    return project


def tasks(number: int) -> list[Task]:
    return [Task(f"t{each}", {"text": f"text {each}"}) for each in range(number)]


def known(*pulled: Pulled) -> dict[Key, str]:
    return {each.key: each.mark for part in pulled for each in part.annotations}


def only(pulled: Pulled) -> Annotation:
    (answer,) = pulled.annotations
    return answer


# ── answers


def test_a_draft_is_reported_until_it_is_submitted_or_removed(
    hands: ArgillaHands, project: Project
) -> None:
    first = hands.backend.pull(project, cursor=None, known={})
    for id in ("t0", "t1"):
        hands.respond(project, id, ANN, "draft", {"topic": {"value": "news"}})
    hands.respond(project, "t2", ANN, "draft", {})
    second = hands.backend.pull(project, cursor=first.cursor, known={})
    assert {(each.id, each.account, each.value, each.status) for each in second.annotations} == {
        ("t0", ANN, "news", "draft"),
        ("t1", ANN, "news", "draft"),
        ("t2", ANN, None, "draft"),
    }
    assert hands.backend.progress(project).answers == {ANN: {"draft": 3}}
    hands.answer(project, "t0", ANN, {"topic": "code"})
    hands.delete(project, "t1", ANN)
    third = hands.backend.pull(project, cursor=second.cursor, known=known(second))
    assert {(each.id, each.value, each.status, each.reason) for each in third.annotations} == {
        ("t0", "code", "submitted", None),
        ("t1", None, "withdrawn", "the draft was discarded"),
    }


def test_a_skip_may_become_an_answer_and_an_answer_a_skip(
    hands: ArgillaHands, project: Project
) -> None:
    hands.skip(project, "t0", ANN)
    hands.answer(project, "t1", ANN, {"topic": "news"})
    first = hands.backend.pull(project, cursor=None, known={})
    hands.answer(project, "t0", ANN, {"topic": "news"})
    hands.respond(project, "t1", ANN, "discarded", {"topic": {"value": "news"}})
    second = hands.backend.pull(project, cursor=first.cursor, known=known(first))
    assert {(each.id, each.value, each.status) for each in second.annotations} == {
        ("t0", "news", "submitted"),
        ("t1", None, "skipped"),
    }
    assert hands.backend.progress(project).answers == {ANN: {"submitted": 1, "skipped": 1}}


def test_the_answers_of_a_deleted_record_are_withdrawn(
    hands: ArgillaHands, project: Project
) -> None:
    hands.answer(project, "t0", ANN, {"topic": "code"})
    hands.answer(project, "t1", ANN, {"topic": "code"})
    first = hands.backend.pull(project, cursor=None, known={})
    hands.call("", "DELETE", f"records/{hands.record(project, 't0')['id']}")
    gone = only(hands.backend.pull(project, cursor=first.cursor, known=known(first)))
    assert (gone.id, gone.status) == ("t0", "withdrawn")
    assert gone.reason == "its record is gone from the server"
    assert list(hands.backend.push(project, tasks(4))) == ["t0"]


def test_many_losses_can_be_accepted(hands: ArgillaHands, project: Project) -> None:
    for id in ("t0", "t1", "t2"):
        hands.answer(project, id, ANN, {"topic": "code"})
    first = hands.backend.pull(project, cursor=None, known={})
    for id in ("t0", "t1", "t2"):
        hands.delete(project, id, ANN)
    accepting = ArgillaBackend(hands.url, hands.key, accept_withdrawals=True)
    second = accepting.pull(project, cursor=first.cursor, known=known(first))
    assert [each.status for each in second.annotations] == ["withdrawn"] * 3


def test_the_time_is_that_of_the_answer_in_utc(hands: ArgillaHands, project: Project) -> None:
    hands.answer(project, "t0", ANN, {"topic": "code"})
    answer = only(hands.backend.pull(project, cursor=None, known={}))
    (response,) = hands.record(project, "t0")["responses"]
    assert answer.at == f"{response['updated_at']}+00:00"
    assert answer.seconds is None


def test_every_word_of_every_hostile_text_can_be_marked(hands: ArgillaHands) -> None:
    project = hands.backend.ensure_project(hands.name(), FORM, overlap=1, guidelines="")
    texts = {id: text for id, text in HOSTILE.items() if "TARGET" in text and id != "long"}
    texts["ends"] = "🙂🙂🙂 TARGET 🙂"
    list(hands.backend.push(project, [Task(id, {"text": text}) for id, text in texts.items()]))
    given = {}
    for id, text in texts.items():
        start = text.index("TARGET")
        places = [(start, start + 6), (len(text) - 1, len(text))]
        given[id] = [{"start": s, "end": e, "label": "ORG"} for s, e in places]
        hands.answer(project, id, ANN, {"topic": "news", "spans": given[id]})
    answers = hands.backend.pull(project, cursor=None, known={}).annotations
    assert {each.id: each.value for each in answers if each.question == "spans"} == given
    assert {each.status for each in answers} == {"submitted"}


def test_a_span_past_the_text_is_rejected_and_kept(hands: ArgillaHands) -> None:
    project = hands.backend.ensure_project(hands.name(), FORM, overlap=1, guidelines="")
    list(hands.backend.push(project, [Task("x", {"text": "a < b"})]))
    there = [{"start": 1, "end": 8, "label": "ORG"}]  # within what is stored, not what is shown
    values = {"topic": {"value": "news"}, "spans": {"value": there}}
    hands.respond(project, "x", ANN, "submitted", values)
    answers = hands.backend.pull(project, cursor=None, known={}).annotations
    (rejected,) = [each for each in answers if each.status == "rejected"]
    assert (rejected.question, rejected.value) == ("spans", there)
    assert "is not within the text" in str(rejected.reason)


def test_a_record_that_is_not_ours_does_no_harm(hands: ArgillaHands, project: Project) -> None:
    items = [{"fields": {"text": "by <b>hand</b>"}}]
    path = f"datasets/{project.key}/records/bulk"
    (made,) = hands.call("", "POST", path, {"items": items})["items"]
    item = {"record_id": made["id"], "status": "submitted", "values": {"topic": {"value": "news"}}}
    hands.backend.admit(project, [ANN])
    hands.call(ANN, "POST", "me/responses/bulk", {"items": [item]})
    answer = only(hands.backend.pull(project, cursor=None, known={}))
    assert (answer.id, answer.value) == (f"record {made['id']}", "news")
    assert list(hands.backend.push(project, tasks(4))) == []


def test_a_pull_reads_no_record_while_nobody_answers(
    hands: ArgillaHands, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands.answer(project, "t0", ANN, {"topic": "code"})
    first = hands.backend.pull(project, cursor=None, known={})
    asked = watch(hands.backend, monkeypatch)
    idle = hands.backend.pull(project, cursor=first.cursor, known=known(first))
    assert (idle.annotations, idle.cursor, idle.seen) == ((), first.cursor, 1)
    assert len(asked) <= 6
    assert not [url for _, url in asked if "include" in url]
    for act in (
        lambda: hands.answer(project, "t0", ANN, {"topic": "news"}),
        lambda: hands.delete(project, "t0", ANN),
    ):
        act()
        assert hands.backend.pull(project, cursor=first.cursor, known=known(first)).annotations


def test_a_cursor_that_is_none_of_ours_reads_everything(
    hands: ArgillaHands, project: Project
) -> None:
    hands.answer(project, "t0", ANN, {"topic": "code"})
    for cursor in ("", "{}", "[1]", "nonsense"):
        assert only(hands.backend.pull(project, cursor=cursor, known={})).value == "code"


# ── what people see


def queue(hands: ArgillaHands, project: Project, account: str) -> list[Any]:
    """Return what the page would show an annotator next."""
    pending = [
        {"type": "terms", "scope": {"entity": entity, "property": "status"}, "values": ["pending"]}
        for entity in ("response", "record")
    ]
    path = f"me/datasets/{project.key}/records/search?include=responses,suggestions"
    found = hands.call(account, "POST", path, {"filters": {"and": pending}})
    return [each["record"] for each in found["items"]]


def test_only_the_people_admitted_see_a_project(hands: ArgillaHands, project: Project) -> None:
    def sees(account: str) -> bool:
        found = hands.call(account, "GET", "me/datasets")["items"]
        return project.key in [each["id"] for each in found]

    assert not sees(ANN)
    assert hands.backend.progress(project).accounts == ()
    hands.backend.admit(project, [ANN])
    hands.backend.admit(project, [ANN, BOB])
    assert [sees(account) for account in (ANN, BOB, CY)] == [True, True, False]
    assert hands.backend.progress(project).accounts == (ANN, BOB)
    assert set(hands.backend.accounts()) == {ANN, BOB, CY}


def test_the_curator_is_asked_only_if_nobody_else_is(hands: ArgillaHands, project: Project) -> None:
    hands.backend.admit(project, [server.CURATOR])
    assert hands.backend.progress(project).accounts == (server.CURATOR,)
    hands.backend.admit(project, [ANN])
    assert hands.backend.progress(project).accounts == (ANN,)


def test_a_record_leaves_the_queue_when_it_has_its_overlap(
    hands: ArgillaHands, project: Project
) -> None:
    everyone = hands.backend.ensure_project(hands.name(), TOPIC, overlap=None, guidelines="")
    list(hands.backend.push(everyone, tasks(4)))
    for each in (project, everyone):
        hands.skip(each, "t0", ANN)
        for account in (ANN, BOB):
            hands.answer(each, "t1", account, {"topic": "news"})
    ids = {each["external_id"] for each in queue(hands, project, CY)}
    assert ids == {"t0", "t2", "t3"}
    assert len(queue(hands, everyone, CY)) == 4
    assert {each["external_id"] for each in queue(hands, everyone, ANN)} == {"t2", "t3"}


def test_people_see_what_the_form_shows_and_no_more(hands: ArgillaHands) -> None:
    project = hands.backend.ensure_project(hands.name(), TOPIC, overlap=1, guidelines="")
    suggestion = Suggestion("topic", "news", 0.8, "secret-model")
    task = Task("x", {"text": "one", "gold": "news"}, suggestions=(suggestion,))
    list(hands.backend.push(project, [task]))
    hands.backend.admit(project, [ANN])
    (record,) = queue(hands, project, ANN)
    assert record["fields"] == {"text": "one"}
    assert not record["metadata"]
    (shown,) = record["suggestions"]
    assert (shown["value"], shown["score"], shown["agent"]) == ("news", 0.8, "curate")
    seen = json.dumps([record, hands.call(ANN, "GET", f"datasets/{project.key}")])
    assert "secret-model" not in seen
    assert "gold" not in seen


def test_the_address_for_people_is_the_labelling_page(
    hands: ArgillaHands, project: Project
) -> None:
    page = web.get(project.url)
    assert page.status_code == 200
    assert "text/html" in page.headers["Content-Type"]
    assert project.key in project.url


def test_an_image_is_sent_as_it_is(hands: ArgillaHands) -> None:
    form = parse_form(
        '<View><Image name="i" value="$image"/><Text name="t" value="$text"/>'
        '<Rating name="q" toName="i"/></View>',
        name="image",
    )
    project = hands.backend.ensure_project(hands.name(), form, overlap=1, guidelines="")
    fields = {"image": "https://example.org/a.png?b=1&c=2", "text": "a & b"}
    bad = Task("y", {"image": "/etc/passwd", "text": ""})
    with pytest.raises(DataError, match=r"\$image of y cannot be shown") as caught:
        list(hands.backend.push(project, [Task("x", fields), bad]))
    assert caught.value.hint
    assert hands.records(project) == []
    list(hands.backend.push(project, [Task("x", fields)]))
    assert hands.record(project, "x")["fields"] == {**fields, "text": "a &amp; b"}


def test_guidelines_are_passed_on_and_name_no_file(hands: ArgillaHands, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    project = hands.backend.ensure_project(hands.name(), TOPIC, overlap=1, guidelines=str(secret))
    assert hands.call("", "GET", f"datasets/{project.key}")["guidelines"] == str(secret)
    with pytest.raises(DataError, match="10,001 characters") as caught:
        hands.backend.ensure_project(hands.name(), TOPIC, overlap=1, guidelines="x" * 10_001)
    assert caught.value.hint


# ── projects


def test_a_project_made_again_under_the_same_name_is_another(
    hands: ArgillaHands, project: Project
) -> None:
    hands.lose(project)
    again = hands.backend.ensure_project(project.name, TOPIC, overlap=2, guidelines="")
    assert again.born != project.born
    with pytest.raises(ProjectMismatch):
        list(hands.backend.push(project, []))


@pytest.mark.parametrize("key", ["7", "", "00000000-0000-0000-0000-000000000000"])
def test_a_project_of_another_server_is_gone(
    hands: ArgillaHands, project: Project, key: str
) -> None:
    elsewhere = Project(**{**vars(project), "key": key})
    with pytest.raises(ProjectMismatch, match="is gone from"):
        hands.backend.pull(elsewhere, cursor=None, known={})


def test_a_project_under_anothers_key_is_refused(hands: ArgillaHands, project: Project) -> None:
    other = hands.backend.ensure_project(hands.name(), TOPIC, overlap=2, guidelines="")
    with pytest.raises(ProjectMismatch):
        hands.backend.open_project(Project(**{**vars(project), "key": other.key}))


def test_a_form_changed_on_the_server_is_noticed(hands: ArgillaHands, project: Project) -> None:
    (question,) = hands.call("", "GET", f"datasets/{project.key}/questions")["items"]
    options = [{"value": "news", "text": "olds"}, {"value": "code", "text": "code"}]
    settings = {**question["settings"], "options": options}
    hands.call("", "PATCH", f"questions/{question['id']}", {"settings": settings})
    assert hands.backend.open_project(project).altered
    hands.backend.pull(project, cursor=None, known={})  # what fits comes home


def test_a_project_left_half_made_is_made_anew(
    hands: ArgillaHands, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, request = hands.name(), hands.backend.client.request

    def cut(method: str, path: str, *more: Any, **named: Any) -> Any:
        if path.endswith("/publish"):
            raise BackendUnavailable("killed here")
        return request(method, path, *more, **named)

    with monkeypatch.context() as patch:
        patch.setattr(hands.backend.client, "request", cut)
        with pytest.raises(BackendUnavailable):
            hands.backend.ensure_project(name, TOPIC, overlap=2, guidelines="")
    project = hands.backend.ensure_project(name, TOPIC, overlap=2, guidelines="")
    assert len(list(hands.backend.push(project, tasks(2)))) == 2


@pytest.mark.parametrize("fault", [None, BackendUnavailable("no queue for jobs (HTTP 500)")])
def test_an_overlap_left_by_an_earlier_try_is_set_right(
    hands: ArgillaHands, project: Project, fault: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = hands.backend.client.request

    def failing(method: str, path: str, *more: Any, **named: Any) -> Any:
        answer = request(method, path, *more, **named)
        if method == "PATCH" and fault:
            raise fault  # after it has done so
        return answer

    monkeypatch.setattr(hands.backend.client, "request", failing)
    again = hands.backend.ensure_project(project.name, TOPIC, overlap=None, guidelines="")
    assert again.key == project.key
    found = hands.call("", "GET", f"datasets/{project.key}")["distribution"]["min_submitted"]
    assert found == argilla.EVERYONE


def test_a_project_may_have_any_name(hands: ArgillaHands) -> None:
    names = ["影评 分类-0000abcd-r01", "新闻 分类-0000abcd-r01", "x" * 300 + "-r01"]
    made = [hands.backend.ensure_project(n, TOPIC, overlap=1, guidelines="") for n in names]
    assert len({each.key for each in made}) == len(names)
    assert [each.name for each in made] == names
    again = [hands.backend.ensure_project(n, TOPIC, overlap=1, guidelines="") for n in names]
    assert again == made


# ── tasks


def test_a_task_given_twice_is_sent_once(hands: ArgillaHands, project: Project) -> None:
    task = Task("twice", {"text": "x"})
    assert list(hands.backend.push(project, [task, task])) == ["twice"]


def test_a_push_leaves_what_is_there_untouched(hands: ArgillaHands, project: Project) -> None:
    suggestion = Suggestion("topic", "news")
    list(hands.backend.push(project, [Task("new", {"text": "x"}, suggestions=(suggestion,))]))
    before = hands.records(project)
    changed = [Task("new", {"text": "y"}), *tasks(4)]
    assert list(hands.backend.push(project, changed)) == []
    assert hands.records(project) == before


def test_answers_go_back_with_their_suggestions_and_leave_others_alone(
    hands: ArgillaHands, project: Project
) -> None:
    suggested = Task("s", {"text": "🙂 x"}, suggestions=(Suggestion("topic", "news"),))
    list(hands.backend.push(project, [suggested]))
    hands.answer(project, "s", ANN, {"topic": "code"})
    before = hands.record(project, "s")
    given = [
        Annotation("s", "topic", ANN, "news", "submitted"),
        Annotation("s", "topic", BOB, "news", "submitted"),
        Annotation("t0", "topic", CY, None, "discarded"),
    ]
    assert hands.backend.restore(project, [*tasks(4), suggested], given) == 2
    assert hands.record(project, "s")["suggestions"] == before["suggestions"]
    answers = hands.backend.pull(project, cursor=None, known={}).annotations
    assert {(each.id, each.account, each.value, each.status) for each in answers} == {
        ("s", ANN, "code", "submitted"),
        ("s", BOB, "news", "submitted"),
        ("t0", CY, None, "skipped"),
    }
    with pytest.raises(DataError, match="without its task"):
        hands.backend.restore(project, [], given)
    strange = Annotation("s", "topic", "zoe", "news", "submitted")
    with pytest.raises(DataError, match="no account zoe"):
        hands.backend.restore(project, [suggested], [strange])


# ── faults


def watch(backend: ArgillaBackend, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Return a list to which every request is added, by method and address."""
    http, asked = backend.client.sdk.http_client, []
    send = http.request

    def request(method: str, url: str, **named: Any) -> httpx.Response:
        asked.append((method, f"{url} {named.get('params')}"))
        return send(method, url, **named)

    monkeypatch.setattr(http, "request", request)
    return asked


def fail(
    backend: ArgillaBackend,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    fault: Exception,
    *,
    after: bool,
) -> list[str]:
    """Let so many bulk requests fail, after they arrived or before."""
    http, failed = backend.client.sdk.http_client, []
    send = http.request

    def request(method: str, url: str, **named: Any) -> httpx.Response:
        doomed = url.endswith("/bulk") and len(failed) < number
        if doomed:
            failed.append(url)
        response = send(method, url, **named) if after or not doomed else None
        if doomed or response is None:
            raise fault
        return response

    monkeypatch.setattr(http, "request", request)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    return failed


def test_a_lost_answer_to_a_push_makes_no_doubles(
    hands: ArgillaHands, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = hands.backend.ensure_project(hands.name(), TOPIC, overlap=2, guidelines="")
    fault = httpx.RemoteProtocolError("the answer was lost")
    failed = fail(hands.backend, monkeypatch, 1, fault, after=True)
    assert len(list(hands.backend.push(project, tasks(20)))) == 20
    assert len(failed) == 1
    ids = [each["external_id"] for each in hands.records(project)]
    assert sorted(ids) == sorted(task.id for task in tasks(20))


def test_a_push_that_fails_half_way_says_how_far_it_came(
    hands: ArgillaHands, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands.make_pages_small(monkeypatch)
    project = hands.backend.ensure_project(hands.name(), TOPIC, overlap=2, guidelines="")
    push = hands.backend.push(project, tasks(20))
    sent = [next(push) for _ in range(6)]
    fail(hands.backend, monkeypatch, 99, httpx.ReadTimeout("too late"), after=False)
    with pytest.raises(PartialPush) as caught:
        list(push)
    assert (caught.value.sent, caught.value.failed, len(sent)) == (6, 14, 6)
    assert len(hands.records(project)) == 6
    with pytest.raises(BackendUnavailable, match="in time"):
        list(hands.backend.push(project, tasks(20)))


def test_what_a_proxy_finds_too_large_goes_in_smaller_parts(
    hands: ArgillaHands, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = hands.backend.ensure_project(hands.name(), TOPIC, overlap=2, guidelines="")
    http = hands.backend.client.sdk.http_client
    send, sizes = http.request, []

    def request(method: str, url: str, **named: Any) -> httpx.Response:
        if url.endswith("/bulk"):
            sizes.append(len(json.loads(named["content"])["items"]))
            if sizes[-1] > 8:
                return httpx.Response(413, content=b"<html>too large</html>")
        return send(method, url, **named)

    monkeypatch.setattr(http, "request", request)
    assert len(list(hands.backend.push(project, tasks(20)))) == 20
    assert sizes[:3] == [20, 10, 5]
    assert max(sizes[2:]) <= 5
    assert len(hands.records(project)) == 20


def test_a_wrong_key_is_named_and_not_shown(hands: ArgillaHands) -> None:
    for wrong in ("0123456789abcdef", "", "schlüssel", "a\nb", hands.keys[ANN]):
        backend = ArgillaBackend(hands.url, wrong)
        with pytest.raises(NotAllowed) as caught:
            backend.ensure_project(hands.name(), TOPIC, overlap=1, guidelines="")
        assert "ARGILLA_API_KEY" in caught.value.hint
        assert not wrong or wrong not in f"{caught.value!r} {caught.value.hint}"


def test_nobody_there_is_unavailable() -> None:
    with pytest.raises(BackendUnavailable) as caught:
        ArgillaBackend("http://127.0.0.1:9", "key").ping()
    assert caught.value.hint


@pytest.mark.parametrize("url", ["argilla", "ftp://argilla.example.org", "http://", "http://[::"])
def test_what_is_no_address_says_so(url: str) -> None:
    with pytest.raises(BackendError) as caught:
        ArgillaBackend(url, "key").ping()
    assert "ARGILLA_API_URL" in caught.value.hint


def test_a_connection_that_cannot_be_trusted_says_why() -> None:
    with answering(lambda path: (200, b"{}")) as url, pytest.raises(BackendError) as caught:
        ArgillaBackend(url.replace("http:", "https:"), "key").ping()
    assert "cannot be reached safely" in caught.value.message
    assert "SSL_CERT_FILE" in caught.value.hint


def test_silence_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "TIMEOUT", 0.2)
    silence = Event()

    def never(path: str) -> tuple[int, bytes]:
        silence.wait(5)
        return 200, b"{}"

    with answering(never) as url:
        with pytest.raises(BackendUnavailable, match="in time"):
            ArgillaBackend(url, "key").ping()
        silence.set()


ME = {
    "id": "00000000-0000-0000-0000-000000000001",
    "username": "curator",
    "role": "owner",
    "first_name": "C",
    "api_key": "k" * 40,
    "inserted_at": "2026-01-01T00:00:00",
    "updated_at": "2026-01-01T00:00:00",
}
STRANGE = [
    (200, b"<html>Welcome to nginx</html>", BackendError),
    (200, b'{"items": [{"id": 1}], "total": 1}', BackendError),
    (200, b"[]", BackendError),
    (200, b"null", BackendError),
    (200, b'{"half": ', BackendError),
    (200, b"\xff\xfe", BackendError),
    (302, b"", BackendError),
    (400, b'{"detail": "no"}', BackendError),
    (401, b'{"detail": "k"}', NotAllowed),
    (403, b"<html>no</html>", NotAllowed),
    (404, b'{"detail": "nothing"}', BackendError),
    (409, b'{"detail": "twice"}', BackendError),
    (413, b"<html>too large</html>", BackendError),
    (422, b'{"detail": {"code": "x", "params": {"errors": [1]}}}', BackendError),
    (429, b'{"detail": "slow down"}', BackendUnavailable),
    (500, b"Internal Server Error", BackendUnavailable),
    (502, b"<html>bad gateway</html>", BackendUnavailable),
    (503, b"", BackendUnavailable),
]


@pytest.mark.parametrize(("status", "body", "error"), STRANGE)
def test_a_stranger_at_the_address_is_a_backend_error(
    status: int, body: bytes, error: type[BackendError]
) -> None:
    with answering(lambda path: (status, body)) as url, pytest.raises(error) as caught:
        ArgillaBackend(url, "k" * 40).ping()
    assert "k" * 40 not in f"{caught.value!r} {caught.value.hint}"


@pytest.mark.parametrize(("status", "body", "error"), STRANGE)
def test_a_strange_answer_is_a_backend_error(
    status: int, body: bytes, error: type[BackendError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)

    def answer(path: str) -> tuple[int, bytes]:
        return (200, json.dumps(ME).encode()) if path.endswith("/me") else (status, body)

    project = Project("argilla", "", "p", str(ME["id"]), TOPIC, 1, "")
    with answering(answer) as url:
        backend = ArgillaBackend(url, "k" * 40)
        for act in (
            backend.ping,
            backend.accounts,
            lambda: backend.client.records("1", external_id, responses=True),
            lambda: backend.ensure_project("p", TOPIC, overlap=1, guidelines=""),
            lambda: list(backend.push(project, tasks(1))),
            lambda: backend.restore(project, [], []),
            lambda: backend.admit(project, []),
            lambda: backend.pull(project, cursor=None, known={}),
            lambda: backend.progress(project),
        ):
            with pytest.raises(error) as caught:
                act()
            assert "k" * 40 not in f"{caught.value!r} {caught.value.hint}"


def test_a_workspace_that_the_key_may_not_see_is_told() -> None:
    def answer(path: str) -> tuple[int, bytes]:
        if path.endswith("/me"):
            return 200, json.dumps(ME).encode()
        if path.partition("?")[0].endswith("/api/v1/workspaces"):
            return 409, b'{"detail": "Workspace with name `curate` is not unique"}'
        return 200, b'{"items": []}'

    with answering(answer) as url, pytest.raises(NotAllowed, match="may not see") as caught:
        ArgillaBackend(url, "k" * 40).ensure_project("p", TOPIC, overlap=1, guidelines="")
    assert "key of an owner" in caught.value.hint


def test_a_connection_cut_in_an_answer_is_unavailable() -> None:
    cut = answering(lambda path: (200, b'{"half"'), short=True)
    with cut as url, pytest.raises(BackendUnavailable):
        ArgillaBackend(url, "key").ping()


def test_no_proxy_stands_before_this_machine_and_one_may_before_others(
    hands: ArgillaHands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert ArgillaBackend(hands.url, hands.key).ping().user == server.CURATOR
    asked = []

    def answer(path: str) -> tuple[int, bytes]:
        asked.append(path)
        return 403, b'{"detail": "the proxy says no"}'

    with answering(answer) as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        with pytest.raises(NotAllowed, match="the proxy says no"):
            ArgillaBackend("http://argilla.example.org", "key").ping()
    assert asked == ["http://argilla.example.org/api/v1/version"]


class Shifting(Client):
    """A server whose records come and go while they are read."""

    def __init__(self, *totals: int) -> None:
        super().__init__("http://nobody.example.org", "key")
        self.totals = iter(totals)
        self.sizes: list[int] = []

    def _request(self, method: str, path: str, params: Any = None, body: Any = None) -> Any:
        total = next(self.totals)
        self.sizes.append(params["limit"])
        last = min(total, params["offset"] + params["limit"])
        items = [{"id": str(n)} for n in range(params["offset"], last)]
        return {"items": items, "total": total}, 1_000 * len(items)


def test_records_are_read_again_if_some_were_deleted_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr(client, "FIRST_PAGE", 100)
    kept = Shifting(150, 140, 140, 140).records("1", dict, responses=False)
    assert len(kept) == 140
    grown = Shifting(150, 160).records("1", dict, responses=False)
    assert len(grown) == 160
    with pytest.raises(BackendUnavailable, match="change faster"):
        Shifting(*[150, 140] * 4).records("1", dict, responses=False)


def test_pages_grow_as_far_as_their_weight_allows() -> None:
    light, heavy = Shifting(*[4_000] * 9), Shifting(*[900] * 99)
    light.records("1", dict, responses=False)
    assert light.sizes == [200, 1000, 1000, 1000, 1000]
    heavy._request = lambda *a: (Shifting._request(heavy, *a)[0], 8_000_000)  # type: ignore[method-assign]
    heavy.records("1", dict, responses=False)
    assert max(heavy.sizes) == 200


@contextmanager
def answering(answer: Callable[[str], tuple[int, bytes]], *, short: bool = False) -> Iterator[str]:
    """Yield the address of a server that answers everything by a path's status and body."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, body = answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body) + 10 * short))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.handle_error = lambda *_: None  # type: ignore[method-assign]
        thread = Thread(target=http.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_port}"
        finally:
            http.shutdown()
            thread.join()
