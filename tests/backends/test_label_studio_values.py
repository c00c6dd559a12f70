"""Values to result items and back, and what is refused on the way; no server."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.backends.label_studio.values import read_result, write_items, write_prediction
from curate.errors import DataError
from curate.records import Suggestion
from tests.backends.contract import FORM, PAIR

TEXT = "👩‍👩‍👧‍👦 met TARGET"
TEXTS = {"text": TEXT}
LEFT_OPEN = {"topic": None, "flags": [], "quality": None, "note": None, "spans": []}


def spans() -> st.SearchStrategy[list[dict[str, Any]]]:
    ends = st.tuples(st.integers(0, len(TEXT)), st.integers(0, len(TEXT)))
    real = ends.map(sorted).filter(lambda pair: pair[0] < pair[1])
    span = st.builds(
        lambda pair, label: {"start": pair[0], "end": pair[1], "label": label},
        real,
        st.sampled_from(["PERSON", "ORG"]),
    )
    return st.lists(span, max_size=4).map(
        lambda found: sorted(found, key=lambda each: tuple(each.values()))
    )


VALUES = st.fixed_dictionaries(
    {
        "topic": st.sampled_from([None, "news", "code"]),
        "flags": st.sampled_from([[], ["spam"], ["spam", "tox"], ["tox", "pii"]]),
        "quality": st.sampled_from([None, 1, 5]),
        "note": st.none() | st.text(min_size=1),
        "spans": spans(),
    }
)


@given(VALUES)
def test_what_is_written_is_read(values: dict[str, Any]) -> None:
    result = [item for name, value in values.items() for item in write_items(FORM, name, value)]
    assert read_result(FORM, result, TEXTS) == {name: (v, None) for name, v in values.items()}


def test_an_empty_result_leaves_all_open_and_finds_no_choices_and_no_spans() -> None:
    assert read_result(FORM, [], TEXTS) == {name: (v, None) for name, v in LEFT_OPEN.items()}


def test_the_browser_names_the_pair_itself_as_target() -> None:
    item = {"from_name": "better", "to_name": "better", "type": "pairwise"}
    read = read_result(PAIR, [{**item, "value": {"selected": "left"}}], {"first": "", "second": ""})
    assert read["better"] == ("first", None)


def test_choices_come_in_the_order_of_the_form() -> None:
    assert read(item("flags", "choices", {"choices": ["pii", "spam"]})) == (["spam", "pii"], None)


def test_no_choice_is_an_answer_and_is_written_as_the_page_does() -> None:
    assert read(item("flags", "choices", {"choices": []})) == ([], None)
    assert write_items(FORM, "flags", []) == []
    assert write_items(FORM, "note", "") == []


def test_a_comment_in_several_parts_is_one_text() -> None:
    assert read(item("note", "textarea", {"text": ["one", "two"]})) == ("one\ntwo", None)


@pytest.mark.parametrize(
    ("name", "kind", "value", "reason"),
    [
        ("topic", "choices", {"choices": ["新闻"]}, "not one of the choices"),
        ("topic", "choices", {"choices": []}, "not one choice"),
        ("topic", "choices", {"choices": "news"}, "not one choice"),
        ("topic", "choices", {"choices": [["news"]]}, "not one of the choices"),
        ("topic", "labels", {"labels": ["news"]}, "answered by labels"),
        ("topic", "choices", None, "answered by choices"),
        ("flags", "choices", {"choices": ["spam", "x"]}, "not one of the choices"),
        ("flags", "choices", {"choices": [1]}, "not a list of choices"),
        ("quality", "rating", {"rating": 6}, "not a number from 1 to 5"),
        ("quality", "rating", {"rating": 0}, "not a number from 1 to 5"),
        ("quality", "rating", {"rating": "4"}, "not a number"),
        ("quality", "rating", {"rating": True}, "not a number"),
        ("note", "textarea", {"text": [1]}, "not a text"),
        ("spans", "labels", {"start": 0, "end": 3, "labels": ["FOO"]}, "not one of the labels"),
        ("spans", "labels", {"start": 3, "end": 1, "labels": ["ORG"]}, "is not within"),
        ("spans", "labels", {"start": 0, "end": 99, "labels": ["ORG"]}, "is not within"),
        ("spans", "labels", {"start": 0.0, "end": 3, "labels": ["ORG"]}, "no whole offsets"),
        ("spans", "labels", {"start": "0", "end": "3", "labels": ["ORG"]}, "no whole offsets"),
        ("spans", "labels", {"start": 0, "end": 3}, "no label"),
    ],
)
def test_what_cannot_be_meant_is_kept_with_a_reason(
    name: str, kind: str, value: Any, reason: str
) -> None:
    given_item = item(name, kind, value)
    kept, complaint = read(given_item)
    assert kept == [given_item]
    assert reason in str(complaint)


def test_two_answers_to_one_question_are_refused() -> None:
    twice = [item("topic", "choices", {"choices": [each]}) for each in ("news", "code")]
    assert read_result(FORM, twice, TEXTS)["topic"] == (twice, "topic is answered 2 times")


def test_an_answer_to_no_question_of_the_form_is_kept_apart() -> None:
    stray = item("mood", "choices", {"choices": ["good"]})
    assert read_result(FORM, [stray], TEXTS)["mood"] == ([stray], "the form does not ask mood")


@pytest.mark.parametrize("result", [None, "x", {"a": 1}, [1], ["x"]])
def test_a_result_that_is_none_is_refused_whole(result: Any) -> None:
    read_all = read_result(FORM, result, TEXTS)
    assert set(read_all) == set(LEFT_OPEN)
    assert {complaint for _, complaint in read_all.values()} == {
        "the result is not a list of answers"
    }


def test_suggestions_are_one_prediction() -> None:
    suggestions = [Suggestion("topic", "news", 0.9, "a"), Suggestion("quality", 4, 0.6, "b")]
    prediction = write_prediction(FORM, suggestions, TEXTS, "curate")
    assert prediction["score"] == 0.6
    assert prediction["model_version"] == "curate"
    assert [each["from_name"] for each in prediction["result"]] == ["topic", "quality"]
    assert [each["to_name"] for each in prediction["result"]] == ["shown", "shown"]


@pytest.mark.parametrize(
    "suggestions",
    [
        [Suggestion("topic", "olds")],
        [Suggestion("mood", "good")],
        [Suggestion("spans", [{"start": 0, "end": 99, "label": "ORG"}])],
        [Suggestion("topic", "news"), Suggestion("topic", "code")],
    ],
)
def test_a_suggestion_that_does_not_fit_is_refused(suggestions: list[Suggestion]) -> None:
    with pytest.raises(DataError, match="a suggestion cannot be shown"):
        write_prediction(FORM, suggestions, TEXTS, "curate")


def item(name: str, kind: str, value: Any) -> dict[str, Any]:
    return {"from_name": name, "to_name": "shown", "type": kind, "value": value}


def read(one: dict[str, Any]) -> tuple[Any, str | None]:
    return read_result(FORM, [one], TEXTS)[one["from_name"]]
