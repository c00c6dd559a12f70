"""The laws on a real Label Studio, and what is particular to it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest

from curate.backends.label_studio import backend as label_studio
from curate.backends.label_studio import client
from curate.backends.label_studio.backend import LabelStudioBackend
from curate.backends.label_studio.values import write_items
from curate.errors import (
    BackendError,
    BackendUnavailable,
    NotAllowed,
    PartialPush,
    ProjectMismatch,
)
from curate.records import Annotation, Key, Project, Pulled, Suggestion, Task
from curate.servers import Home
from curate.servers.label_studio import server
from tests import web
from tests.backends.contract import FORM, HOSTILE, TOPIC, Laws

pytestmark = pytest.mark.live


class LabelStudioHands:
    """Acts through the API with each person's own token, as the browser does."""

    accounts = ("ann@example.org", "bob@example.org", "cy@example.org")
    inexpressible = ()
    numbers = itertools.count(1)

    def __init__(self, home: Home) -> None:
        running = server.status(home)
        assert running is not None
        self.url = running.url
        self.key = server.curator(home).token
        self.tokens = {account.email: account.token for account in server.accounts(home)}
        self.backend = LabelStudioBackend(self.url, self.key)

    def name(self) -> str:
        return f"contract-0000abcd-r{next(self.numbers):02}"

    def call(self, account: str, method: str, path: str, body: Any = None) -> Any:
        """Return what the server answers a person."""
        headers = {"Authorization": f"Token {self.tokens.get(account, self.key)}"}
        response = web.request(method, f"{self.url}/api/{path}", headers=headers, json=body)
        assert response.is_success, response.text[:500]
        return response.json() if response.content else None

    def answer(self, project: Project, id: str, account: str, values: Mapping[str, Any]) -> None:
        form = project.form
        result = [item for name in values for item in write_items(form, name, values[name])]
        self.submit(project, id, account, {"result": result, "lead_time": 2.5})

    def submit(self, project: Project, id: str, account: str, body: Any) -> None:
        """Submit a body, or change what the account has submitted."""
        task = self.task(project, id)
        theirs = self._theirs(task, account)
        if theirs:
            self.call(account, "PATCH", f"annotations/{theirs[-1]}/", body)
        else:
            self.call(account, "POST", f"tasks/{task}/annotations/", body)

    def skip(self, project: Project, id: str, account: str) -> None:
        self.submit(project, id, account, {"result": [], "was_cancelled": True})

    def delete(self, project: Project, id: str, account: str) -> None:
        for annotation in self._theirs(self.task(project, id), account):
            self.call(account, "DELETE", f"annotations/{annotation}/")

    def stored(self, project: Project) -> list[tuple[str, dict[str, str]]]:
        tasks = [key for key, _ in self.backend.client.records(project.key)]
        rows = [self.call(self.accounts[0], "GET", f"tasks/{task}")["data"] for task in tasks]
        return [(row.pop("record_id"), row) for row in rows]

    def lose(self, project: Project) -> None:
        self.call("", "DELETE", f"projects/{project.key}/")

    def make_pages_small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(client, "PAGE", 7)
        monkeypatch.setattr(label_studio, "MOST", 6)

    def task(self, project: Project, id: str) -> int:
        """Return the server's id of a task."""
        filters = client.where_records([id])
        ((key, _),) = self.backend.client.records(project.key, filters)
        return key

    def _theirs(self, task: int, account: str) -> list[int]:
        found = self.call("", "GET", f"tasks/{task}/annotations/")
        mine = self.call(account, "GET", "current-user/whoami")["id"]
        return [each["id"] for each in found if each["completed_by"] == mine]


@pytest.fixture
def hands(label_studio_home: Home) -> LabelStudioHands:
    return LabelStudioHands(label_studio_home)


class TestLabelStudio(Laws):
    """Every law holds on a real server."""


ANN, BOB, CY = LabelStudioHands.accounts


@pytest.fixture
def project(hands: LabelStudioHands) -> Project:
    project = hands.backend.ensure_project(hands.name(), TOPIC, overlap=2, guidelines="")
    tasks = [Task(f"t{number}", {"text": f"text {number}"}) for number in range(4)]
    assert len(list(hands.backend.push(project, tasks))) == 4
    return project


def known(*pulled: Pulled) -> dict[Key, str]:
    return {each.key: each.mark for part in pulled for each in part.annotations}


def only(pulled: Pulled) -> Annotation:
    (answer,) = pulled.annotations
    return answer


def test_a_draft_is_reported_until_it_is_submitted_or_discarded(
    hands: LabelStudioHands, project: Project
) -> None:
    first = hands.backend.pull(project, cursor=None, known={})
    body = {"result": write_items(TOPIC, "topic", "news"), "lead_time": 1.0}
    drafts = [
        hands.call(ANN, "POST", f"tasks/{hands.task(project, id)}/drafts", body)
        for id in ("t0", "t1")
    ]
    second = hands.backend.pull(project, cursor=first.cursor, known={})
    assert {(each.id, each.account, each.value, each.status) for each in second.annotations} == {
        ("t0", ANN, "news", "draft"),
        ("t1", ANN, "news", "draft"),
    }
    assert hands.backend.progress(project).answers == {ANN: {"draft": 2}}
    hands.answer(project, "t0", ANN, {"topic": "code"})
    hands.call(ANN, "DELETE", f"drafts/{drafts[1]['id']}/")
    third = hands.backend.pull(project, cursor=second.cursor, known=known(second))
    assert {(each.id, each.value, each.status) for each in third.annotations} == {
        ("t0", "code", "submitted"),
        ("t1", None, "withdrawn"),
    }


def test_the_answers_of_a_deleted_task_are_withdrawn(
    hands: LabelStudioHands, project: Project
) -> None:
    hands.answer(project, "t0", ANN, {"topic": "code"})
    hands.answer(project, "t1", ANN, {"topic": "code"})
    first = hands.backend.pull(project, cursor=None, known={})
    hands.call("", "DELETE", f"tasks/{hands.task(project, 't0')}/")
    second = hands.backend.pull(project, cursor=first.cursor, known=known(first))
    gone = only(second)
    assert (gone.id, gone.status, gone.reason) == (
        "t0",
        "withdrawn",
        "its task is gone from the server",
    )
    whole = hands.backend.pull(project, cursor=None, known=known(first))
    assert only(whole) == gone
    assert list(hands.backend.push(project, [Task("t0", {"text": "text 0"})])) == ["t0"]


def test_many_losses_can_be_accepted(hands: LabelStudioHands, project: Project) -> None:
    for id in ("t0", "t1", "t2"):
        hands.answer(project, id, ANN, {"topic": "code"})
    first = hands.backend.pull(project, cursor=None, known={})
    for id in ("t0", "t1", "t2"):
        hands.delete(project, id, ANN)
    accepting = LabelStudioBackend(hands.url, hands.key, accept_withdrawals=True)
    second = accepting.pull(project, cursor=first.cursor, known=known(first))
    assert [each.status for each in second.annotations] == ["withdrawn"] * 3


@pytest.mark.parametrize(
    ("item", "complaint"),
    [
        ({"type": "choices", "value": {"choices": ["spam"]}}, "not one of the choices"),
        ({"type": "choices", "value": {"choices": ["news", "code"]}}, "not one choice"),
        ({"type": "rating", "value": {"rating": 3}}, "answered by rating"),
        ({"type": "choices", "value": {}}, "not one choice"),
    ],
)
def test_what_the_form_does_not_allow_is_rejected_and_kept(
    hands: LabelStudioHands, project: Project, item: dict[str, Any], complaint: str
) -> None:
    items = [{"from_name": "topic", "to_name": "shown", **item}]
    hands.submit(project, "t0", ANN, {"result": items})
    answer = only(hands.backend.pull(project, cursor=None, known={}))
    assert answer.status == "rejected"
    assert complaint in str(answer.reason)
    assert answer.value == items


@pytest.mark.parametrize(("start", "end"), [(5, 2), (3, 3), (0, 10_000), (-1, 3), ("0", "3")])
def test_a_span_outside_the_text_is_rejected(hands: LabelStudioHands, start: Any, end: Any) -> None:
    project = hands.backend.ensure_project(hands.name(), FORM, overlap=1, guidelines="")
    list(hands.backend.push(project, [Task("family", {"text": HOSTILE["family"]})]))
    value = {"start": start, "end": end, "labels": ["ORG"]}
    item = {"from_name": "spans", "to_name": "shown", "type": "labels", "value": value}
    hands.submit(project, "family", ANN, {"result": [item]})
    pulled = hands.backend.pull(project, cursor=None, known={})
    assert {each.question: each.status for each in pulled.annotations} == {
        "topic": "submitted",
        "flags": "submitted",
        "quality": "submitted",
        "note": "submitted",
        "spans": "rejected",
    }


def test_of_two_answers_by_one_person_the_newer_counts(
    hands: LabelStudioHands, project: Project
) -> None:
    task = hands.task(project, "t0")
    for value in ("news", "code"):
        body = {"result": write_items(TOPIC, "topic", value)}
        hands.call(ANN, "POST", f"tasks/{task}/annotations/", body)
    assert only(hands.backend.pull(project, cursor=None, known={})).value == "code"


def test_a_task_that_is_not_ours_does_no_harm(hands: LabelStudioHands, project: Project) -> None:
    hands.call("", "POST", f"projects/{project.key}/import", [{"data": {"text": "by hand"}}])
    ((foreign, id),) = list(hands.backend.client.records(project.key))[4:]
    body = {"result": write_items(TOPIC, "topic", "news")}
    hands.call(ANN, "POST", f"tasks/{foreign}/annotations/", body)
    assert only(hands.backend.pull(project, cursor=None, known={})).id == id == f"task {foreign}"
    assert list(hands.backend.push(project, [Task("t0", {"text": "text 0"})])) == []


def test_annotators_get_the_overlap_and_see_only_what_the_form_shows(
    hands: LabelStudioHands,
) -> None:
    project = hands.backend.ensure_project(hands.name(), TOPIC, overlap=1, guidelines="")
    tasks = [
        Task("plain", {"text": "one", "gold": "news"}),
        Task("gold", {"text": "two"}, overlap=3),
    ]
    list(hands.backend.push(project, tasks))
    served = {account: _answer_all(hands, project, account) for account in (ANN, BOB, CY)}
    assert served == {ANN: ["plain", "gold"], BOB: ["gold"], CY: ["gold"]}
    assert dict(hands.stored(project))["plain"] == {"text": "one"}


def test_a_suggestion_is_there_when_a_person_opens_the_task(hands: LabelStudioHands) -> None:
    project = hands.backend.ensure_project(hands.name(), TOPIC, overlap=1, guidelines="")
    task = Task("x", {"text": "t"}, suggestions=(Suggestion("topic", "news", 0.8, "m"),))
    list(hands.backend.push(project, [task]))
    served = hands.call(ANN, "GET", f"projects/{project.key}/next")
    (prediction,) = served["predictions"]
    assert prediction["result"] == write_items(TOPIC, "topic", "news")


def test_the_address_for_people_is_the_labelling_page(
    hands: LabelStudioHands, project: Project, label_studio_home: Home
) -> None:
    ann = server.accounts(label_studio_home)[0]
    with httpx.Client(base_url=hands.url, follow_redirects=True) as browser:
        browser.get("/user/login")
        form = {"email": ann.email, "password": ann.password}
        form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
        page = browser.post("/user/login", params={"next": project.url}, data=form)
        page = browser.get(project.url)
    assert page.status_code == 200
    assert str(page.url) == project.url


def test_everybody_asked_is_asked_without_the_curator(
    hands: LabelStudioHands, project: Project
) -> None:
    assert hands.backend.progress(project).accounts == (ANN, BOB, CY)


def test_a_project_made_again_under_the_same_name_is_another(
    hands: LabelStudioHands, project: Project
) -> None:
    hands.lose(project)
    again = hands.backend.ensure_project(project.name, TOPIC, overlap=2, guidelines="")
    assert again.born != project.born
    with pytest.raises(ProjectMismatch):
        list(hands.backend.push(project, []))


def test_a_form_changed_on_the_server_is_noticed(hands: LabelStudioHands, project: Project) -> None:
    hands.answer(project, "t0", ANN, {"topic": "code"})
    config = {"label_config": TOPIC.xml.replace("news", "olds")}
    hands.call("", "PATCH", f"projects/{project.key}/", config)
    assert hands.backend.open_project(project).altered
    for refused in (
        lambda: list(hands.backend.push(project, [])),
        lambda: hands.backend.restore(project, [], []),
        lambda: hands.backend.ensure_project(project.name, TOPIC, overlap=2, guidelines=""),
    ):
        with pytest.raises(ProjectMismatch, match="asks other questions"):
            refused()
    assert only(hands.backend.pull(project, cursor=None, known={})).value == "code"


@pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated")  # the SDK's own
def test_a_personal_access_token_works(hands: LabelStudioHands) -> None:
    token = hands.call("", "POST", "token/")["token"]
    assert LabelStudioBackend(hands.url, token).ping().user == server.CURATOR


# ── faults


def test_a_lost_answer_to_a_push_makes_no_doubles(
    hands: LabelStudioHands, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = hands.backend.ensure_project(hands.name(), TOPIC, overlap=2, guidelines="")
    lost = _lose_answers(hands.backend, monkeypatch, number=1)
    tasks = [Task(f"t{number}", {"text": "x"}) for number in range(20)]
    assert len(list(hands.backend.push(project, tasks))) == 20
    assert len(lost) == 1
    assert sorted(id for id, _ in hands.stored(project)) == sorted(task.id for task in tasks)


def test_a_push_that_fails_half_way_says_how_far_it_came(
    hands: LabelStudioHands, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands.make_pages_small(monkeypatch)
    project = hands.backend.ensure_project(hands.name(), TOPIC, overlap=2, guidelines="")
    tasks = [Task(f"t{number}", {"text": "x"}) for number in range(20)]
    push = hands.backend.push(project, tasks)
    sent = [next(push) for _ in range(6)]
    _refuse_requests(hands.backend, monkeypatch)
    with pytest.raises(PartialPush) as caught:
        list(push)
    assert (caught.value.sent, caught.value.failed, len(sent)) == (6, 14, 6)


def test_a_wrong_key_is_named_and_not_shown(hands: LabelStudioHands) -> None:
    key = "0123456789abcdef0123456789abcdef01234567"
    for wrong in (key, ""):
        with pytest.raises(NotAllowed) as caught:
            LabelStudioBackend(hands.url, wrong).ping()
        assert "LABEL_STUDIO_API_KEY" in caught.value.hint
        assert key not in f"{caught.value!r} {caught.value} {caught.value.hint}"


def test_nobody_there_is_unavailable() -> None:
    with pytest.raises(BackendUnavailable) as caught:
        LabelStudioBackend("http://127.0.0.1:9", "k" * 40).ping()
    assert caught.value.hint


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b"<html>Welcome to nginx</html>", BackendError),
        (200, b'{"tasks": [{"id": 1}], "total": 1}', BackendError),
        (200, b"[]", BackendError),
        (200, b'{"half": ', BackendError),
        (503, b"<html>busy</html>", BackendUnavailable),
        (429, b'{"detail": "slow down"}', BackendUnavailable),
        (403, b'{"detail": "no"}', NotAllowed),
    ],
)
def test_a_strange_answer_is_a_backend_error(
    status: int, body: bytes, error: type[BackendError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with _answering(status, body) as url:
        backend = LabelStudioBackend(url, "k" * 40)
        with pytest.raises(error):
            list(backend.client.records("1"))
        with pytest.raises(error):
            backend.ping()


def _answer_all(hands: LabelStudioHands, project: Project, account: str) -> list[str]:
    """Answer what the server serves until it has no more; return the ids in the order served."""
    served: list[str] = []
    headers = {"Authorization": f"Token {hands.tokens[account]}"}
    while True:
        url = f"{hands.url}/api/projects/{project.key}/next"
        response = web.get(url, headers=headers)
        if response.status_code == 404:
            return served
        served.append(response.json()["data"]["record_id"])
        hands.answer(project, served[-1], account, {"topic": "news"})


def _lose_answers(
    backend: LabelStudioBackend, monkeypatch: pytest.MonkeyPatch, number: int
) -> list[str]:
    """Let the next imports arrive, and lose what the server answers."""
    http = backend.client.sdk._client_wrapper.httpx_client.httpx_client
    send, lost = http.request, []

    def request(**arguments: Any) -> httpx.Response:
        response = send(**arguments)
        if arguments["url"].endswith("/import") and len(lost) < number:
            lost.append(arguments["url"])
            raise httpx.RemoteProtocolError("the answer was lost")
        return response

    monkeypatch.setattr(http, "request", request)
    return lost


def _refuse_requests(backend: LabelStudioBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    def request(**arguments: Any) -> httpx.Response:
        raise httpx.ReadTimeout("too late")

    http = backend.client.sdk._client_wrapper.httpx_client.httpx_client
    monkeypatch.setattr(http, "request", request)


@contextmanager
def _answering(status: int, body: bytes) -> Iterator[str]:
    """Yield the address of a server that gives one answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as answering:
        thread = Thread(target=answering.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{answering.server_port}"
        answering.shutdown()
        thread.join()
