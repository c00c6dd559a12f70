"""The laws of a backend: one suite for every server.

A test module names its backend by a fixture `hands`: the backend, and a way to act on its server
as people do, past curate.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any, Protocol

import pytest

from curate.backends import Backend
from curate.errors import DataError, FormError, ProjectMismatch
from curate.forms import parse_form
from curate.records import Annotation, Form, Key, Project, Pulled, Suggestion, Task

FORM = parse_form(
    """<View>
      <Text name="shown" value="$text" granularity="symbol"/>
      <Choices name="topic" toName="shown" choice="single-radio" required="true">
        <Choice value="新闻" alias="news"/><Choice value="code"/>
      </Choices>
      <Choices name="flags" toName="shown" choice="multiple">
        <Choice value="spam"/><Choice value="toxic" alias="tox"/><Choice value="pii"/>
      </Choices>
      <Rating name="quality" toName="shown" maxRating="5"/>
      <TextArea name="note" toName="shown" maxSubmissions="1"/>
      <Labels name="spans" toName="shown"><Label value="PERSON"/><Label value="ORG"/></Labels>
    </View>""",
    name="everything",
)

PAIR = parse_form(
    """<View>
      <Pairwise name="better" toName="a,b"/>
      <Text name="a" value="$first"/><Text name="b" value="$second"/>
      <Labels name="spans" toName="a,b"><Label value="ERROR"/></Labels>
    </View>""",
    name="pair",
)

BETTER = parse_form(
    """<View>
      <Pairwise name="better" toName="a,b"/>
      <Text name="a" value="$first"/><Text name="b" value="$second"/>
    </View>""",
    name="better",
)

TIED = parse_form(
    """<View>
      <Text name="asked" value="$prompt"/>
      <Text name="a" value="$first"/><Text name="b" value="$second"/>
      <Choices name="better" toName="asked" choice="single-radio" required="true">
        <Choice value="the first" alias="first"/><Choice value="the second" alias="second"/>
        <Choice value="neither" alias="tie"/>
      </Choices>
    </View>""",
    name="tied",
)

TOPIC = parse_form(
    """<View><Text name="shown" value="$text"/>
      <Choices name="topic" toName="shown"><Choice value="news"/><Choice value="code"/></Choices>
    </View>""",
    name="topic",
)

OTHER = parse_form(TOPIC.xml.replace('"code"', '"prose"'), name="topic")

HOSTILE = {
    "family": "👩‍👩‍👧‍👦 met TARGET in 北京 🙂",
    "markup": "<b>TARGET</b> &amp; <script>alert(1)</script> <br> {{7*7}} $text",
    "white": "\n\t leading, trailing \u00a0\u200b\u2028 TARGET \n\n",
    "rtl": "שלום TARGET عربى e\u0301\u0327 combining",
    "address": "https://example.org/TARGET",
    "storage": "s3://bucket/TARGET.txt",
    "json": '{"TARGET": [1, null], "id": 7}',
    "long": "TARGET " + "word 🙂 " * 8_000,
    "empty": "",
}


class Hands(Protocol):
    """A backend, and what people and mishaps do on its server."""

    backend: Backend
    accounts: tuple[str, str, str]
    inexpressible: tuple[str, ...]
    """Names of the forms here that the server cannot express, and refuses."""

    def name(self) -> str:
        """Return a name that no project has."""

    def answer(self, project: Project, id: str, account: str, values: Mapping[str, Any]) -> None:
        """Submit an answer, or change the one that this account has given."""

    def skip(self, project: Project, id: str, account: str) -> None:
        """Skip a task."""

    def delete(self, project: Project, id: str, account: str) -> None:
        """Remove an account's answer."""

    def stored(self, project: Project) -> list[tuple[str, dict[str, str]]]:
        """Return id and fields of every task, as an annotator gets them."""

    def lose(self, project: Project) -> None:
        """Remove the project."""

    def make_pages_small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make a few dozen tasks need several requests."""


class Laws:
    """What holds on every backend."""

    def test_pushing_twice_is_pushing_once(self, hands: Hands) -> None:
        project, tasks = _project(hands, TOPIC), _tasks(5)
        assert list(hands.backend.push(project, tasks)) == [task.id for task in tasks]
        assert list(hands.backend.push(project, tasks)) == []
        assert sorted(id for id, _ in hands.stored(project)) == [task.id for task in tasks]

    def test_a_push_cut_short_is_repaired(
        self, hands: Hands, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hands.make_pages_small(monkeypatch)
        project, tasks = _project(hands, TOPIC), _tasks(40)
        first = list(islice(hands.backend.push(project, tasks), 7))
        list(hands.backend.push(project, tasks))
        ids = [id for id, _ in hands.stored(project)]
        assert set(first) <= set(ids)
        assert sorted(ids) == sorted(task.id for task in tasks)

    def test_ids_and_hostile_texts_survive(self, hands: Hands) -> None:
        project = _project(hands, TOPIC)
        list(hands.backend.push(project, [Task(i, {"text": t}) for i, t in HOSTILE.items()]))
        assert {id: fields["text"] for id, fields in hands.stored(project)} == HOSTILE

    def test_each_kind_of_value_comes_home_as_it_was_meant(self, hands: Hands) -> None:
        project = _project(hands, FORM)
        list(hands.backend.push(project, [Task("family", {"text": HOSTILE["family"]})]))
        start = HOSTILE["family"].index("TARGET")
        given = {
            "topic": "news",
            "flags": ["spam", "tox"],
            "quality": 4,
            "note": "good\n好 & <b>",
            "spans": [{"start": start, "end": start + 6, "label": "ORG"}],
        }
        hands.answer(project, "family", hands.accounts[0], given)
        answers = _by_key(hands.backend.pull(project, cursor=None, known={}))
        assert {question: each.value for (_, question, _), each in answers.items()} == given
        assert {each.status for each in answers.values()} == {"submitted"}
        assert {each.account for each in answers.values()} == {hands.accounts[0]}

    @pytest.mark.parametrize(
        ("form", "answers"),
        [(BETTER, ("first", "second")), (TIED, ("first", "second", "tie"))],
        ids=lambda value: getattr(value, "name", None),
    )
    def test_a_preference_names_a_field_or_a_tie(
        self, hands: Hands, form: Form, answers: tuple[str, ...]
    ) -> None:
        project = _project(hands, form)
        fields = {"prompt": "which?", "first": "a <b>text</b>", "second": "another"}
        list(hands.backend.push(project, [Task(answer, fields) for answer in answers]))
        for answer in answers:
            hands.answer(project, answer, hands.accounts[0], {"better": answer})
        pulled = hands.backend.pull(project, cursor=None, known={}).annotations
        assert {each.id: each.value for each in pulled} == {each: each for each in answers}

    def test_a_preference_names_the_field_and_a_span_its_own(self, hands: Hands) -> None:
        if PAIR.name in hands.inexpressible:
            with pytest.raises(FormError, match="line 4: <Labels>"):
                _project(hands, PAIR)
            return
        project = _project(hands, PAIR)
        list(hands.backend.push(project, [Task("x", {"first": "long text", "second": "short"})]))
        spans = [{"start": 0, "end": 5, "label": "ERROR", "field": "second"}]
        hands.answer(project, "x", hands.accounts[0], {"better": "second", "spans": spans})
        answers = _by_key(hands.backend.pull(project, cursor=None, known={}))
        assert answers["x", "better", hands.accounts[0]].value == "second"
        assert answers["x", "spans", hands.accounts[0]].value == spans

    def test_erased_tasks_are_gone_with_their_texts(
        self, hands: Hands, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hands.make_pages_small(monkeypatch)
        project = _pushed(hands, 30)
        for id in ("t000", "t001", "t029"):
            hands.answer(project, id, hands.accounts[0], {"topic": "news"})
        gone = ["t000", *(f"t{number:03}" for number in range(10, 25))]
        assert hands.backend.erase(project, [*gone, "never"]) == len(gone)
        assert hands.backend.erase(project, gone) == 0
        kept = sorted(id for id, _ in hands.stored(project))
        assert kept == sorted({f"t{number:03}" for number in range(30)} - set(gone))
        pulled = hands.backend.pull(project, cursor=None, known={}).annotations
        assert {each.id for each in pulled} == {"t001", "t029"}
        assert list(hands.backend.push(project, [])) == []

    def test_a_skip_is_reported(self, hands: Hands) -> None:
        project = _pushed(hands, 2)
        hands.skip(project, "t000", hands.accounts[0])
        (answer,) = hands.backend.pull(project, cursor=None, known={}).annotations
        assert (answer.status, answer.value) == ("skipped", None)
        assert hands.backend.progress(project).answers == {hands.accounts[0]: {"skipped": 1}}

    def test_a_pull_is_complete_across_pages_and_repeatable(
        self, hands: Hands, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hands.make_pages_small(monkeypatch)
        project = _pushed(hands, 30)
        for number in range(30):
            hands.answer(project, f"t{number:03}", hands.accounts[number % 3], {"topic": "code"})
        first = hands.backend.pull(project, cursor=None, known={})
        again = hands.backend.pull(project, cursor=None, known={})
        assert len(first.annotations) == 30
        assert _by_key(first) == _by_key(again)

    def test_a_second_pull_brings_only_what_is_new(self, hands: Hands) -> None:
        project = _pushed(hands, 3)
        hands.answer(project, "t000", hands.accounts[0], {"topic": "news"})
        first = hands.backend.pull(project, cursor=None, known={})
        hands.answer(project, "t001", hands.accounts[0], {"topic": "code"})
        second = hands.backend.pull(project, cursor=first.cursor, known=_known(first))
        assert [each.id for each in second.annotations] == ["t001"]
        third = hands.backend.pull(project, cursor=second.cursor, known=_known(first, second))
        assert third.annotations == ()

    def test_an_edit_replaces_and_a_second_person_adds(self, hands: Hands) -> None:
        project, (ann, bob, _) = _pushed(hands, 1), hands.accounts
        hands.answer(project, "t000", ann, {"topic": "news"})
        first = hands.backend.pull(project, cursor=None, known={})
        hands.answer(project, "t000", ann, {"topic": "code"})
        hands.answer(project, "t000", bob, {"topic": "news"})
        second = hands.backend.pull(project, cursor=first.cursor, known=_known(first))
        values = {each.account: each.value for each in second.annotations}
        assert values == {ann: "code", bob: "news"}
        progress = hands.backend.progress(project)
        assert progress.answers == {ann: {"submitted": 1}, bob: {"submitted": 1}}
        assert progress.tasks == 1

    def test_a_deleted_answer_is_withdrawn_once(self, hands: Hands) -> None:
        project, ann = _pushed(hands, 2), hands.accounts[0]
        hands.answer(project, "t000", ann, {"topic": "news"})
        hands.answer(project, "t001", ann, {"topic": "news"})
        first = hands.backend.pull(project, cursor=None, known={})
        hands.delete(project, "t000", ann)
        second = hands.backend.pull(project, cursor=first.cursor, known=_known(first))
        (gone,) = second.annotations
        assert (gone.id, gone.status, gone.value) == ("t000", "withdrawn", None)
        assert gone.reason
        known = _known(first, second)
        assert hands.backend.pull(project, cursor=second.cursor, known=known).annotations == ()

    def test_the_loss_of_many_answers_is_refused(self, hands: Hands) -> None:
        project, ann = _pushed(hands, 4), hands.accounts[0]
        for number in range(4):
            hands.answer(project, f"t{number:03}", ann, {"topic": "news"})
        first = hands.backend.pull(project, cursor=None, known={})
        for number in range(3):
            hands.delete(project, f"t{number:03}", ann)
        with pytest.raises(ProjectMismatch, match="3 of 4 answers are gone"):
            hands.backend.pull(project, cursor=first.cursor, known=_known(first))

    def test_a_form_that_differs_is_refused(self, hands: Hands) -> None:
        project = _project(hands, TOPIC)
        again = hands.backend.ensure_project(project.name, TOPIC, overlap=2, guidelines="")
        assert again == project
        with pytest.raises(ProjectMismatch) as caught:
            hands.backend.ensure_project(project.name, OTHER, overlap=2, guidelines="")
        assert caught.value.hint

    def test_a_lost_project_is_noticed(self, hands: Hands) -> None:
        project = _pushed(hands, 1)
        assert hands.backend.open_project(project) == project
        hands.lose(project)
        with pytest.raises(ProjectMismatch):
            hands.backend.open_project(project)

    def test_a_lost_project_is_restored_with_its_answers(self, hands: Hands) -> None:
        project, (ann, bob, _) = _pushed(hands, 3), hands.accounts
        hands.answer(project, "t000", ann, {"topic": "news"})
        hands.answer(project, "t000", bob, {"topic": "code"})
        hands.skip(project, "t001", ann)
        before = _by_key(hands.backend.pull(project, cursor=None, known={}))
        hands.lose(project)
        anew = hands.backend.ensure_project(project.name, TOPIC, overlap=2, guidelines="")
        assert hands.backend.restore(anew, _tasks(3), before.values()) == 3
        assert hands.backend.restore(anew, _tasks(3), before.values()) == 0
        after = _by_key(hands.backend.pull(anew, cursor=None, known={}))
        said = {key: (each.status, each.value, each.seconds) for key, each in before.items()}
        assert {key: (a.status, a.value, a.seconds) for key, a in after.items()} == said
        assert len(hands.stored(anew)) == 3

    def test_answers_lost_from_a_live_project_are_put_back(self, hands: Hands) -> None:
        project, (ann, bob, _) = _pushed(hands, 2), hands.accounts
        hands.answer(project, "t000", ann, {"topic": "news"})
        hands.answer(project, "t000", bob, {"topic": "code"})
        before = _by_key(hands.backend.pull(project, cursor=None, known={}))
        hands.delete(project, "t000", ann)
        hands.answer(project, "t000", bob, {"topic": "news"})
        assert hands.backend.restore(project, _tasks(2), before.values()) == 1
        after = _by_key(hands.backend.pull(project, cursor=None, known={}))
        values = {account: each.value for (_, _, account), each in after.items()}
        assert values == {ann: "news", bob: "news"}

    def test_only_accounts_that_the_server_knows_are_admitted(self, hands: Hands) -> None:
        project = _project(hands, TOPIC)
        known = hands.backend.accounts()
        if not known:  # a backend without accounts takes everyone
            return
        assert set(hands.accounts) <= set(known)
        hands.backend.admit(project, hands.accounts)
        with pytest.raises(DataError, match=r"nobody@example\.org") as caught:
            hands.backend.admit(project, [*hands.accounts, "nobody@example.org"])
        assert caught.value.hint
        assert set(hands.accounts) <= set(hands.backend.progress(project).accounts)

    def test_a_task_may_ask_more_people_than_its_project(self, hands: Hands) -> None:
        project = _project(hands, TOPIC)
        tasks = [Task("one", {"text": "1"}), Task("all", {"text": "2"}, overlap=3)]
        if hands.backend.name == "argilla":  # it asks as many people of every text
            with pytest.raises(DataError) as refused:
                list(hands.backend.push(project, tasks))
            assert refused.value.hint
            assert hands.stored(project) == []
            return
        list(hands.backend.push(project, tasks))
        assert sorted(id for id, _ in hands.stored(project)) == ["all", "one"]
        assert list(hands.backend.push(project, tasks)) == []

    def test_suggestions_are_shown_and_are_no_answers(self, hands: Hands) -> None:
        project = _project(hands, TOPIC)
        suggestion = Suggestion("topic", "news", 0.8, "some model")
        list(hands.backend.push(project, [Task("x", {"text": "t"}, suggestions=(suggestion,))]))
        assert hands.backend.pull(project, cursor=None, known={}).annotations == ()

    def test_the_server_says_who_it_is(self, hands: Hands) -> None:
        server = hands.backend.ping()
        assert server.backend == hands.backend.name
        assert server.version


def _project(hands: Hands, form: Form) -> Project:
    return hands.backend.ensure_project(hands.name(), form, overlap=2, guidelines="Be *fair*.")


def _pushed(hands: Hands, number: int) -> Project:
    project = _project(hands, TOPIC)
    list(hands.backend.push(project, _tasks(number)))
    return project


def _tasks(number: int) -> list[Task]:
    return [Task(f"t{each:03}", {"text": f"text {each}"}) for each in range(number)]


def _by_key(pulled: Pulled) -> dict[Key, Annotation]:
    return {each.key: each for each in pulled.annotations}


def _known(*pulled: Pulled) -> dict[Key, str]:
    return {each.key: each.mark for part in pulled for each in part.annotations}
