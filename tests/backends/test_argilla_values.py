"""Values to Argilla and back: no server."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.backends.argilla.text import restored, stored
from curate.backends.argilla.values import (
    image_complaint,
    read_values,
    write_response,
    write_suggestions,
    write_values,
)
from curate.errors import DataError
from curate.forms import complaint, parse_form
from curate.records import Annotation, Suggestion
from tests.backends.contract import FORM, TIED, TOPIC

TEXTS = {"text": "🙂 TARGET & more"}
IDS = {question.name: f"id-{question.name}" for question in FORM.questions}

FLAGS = parse_form(
    """<View><Text name="t" value="$text"/>
      <Choices name="flags" toName="t" choice="multiple">
        <Choice value="spam"/><Choice value="toxic"/>
      </Choices>
    </View>""",
    name="flags",
)

spans = st.lists(
    st.tuples(st.integers(0, 14), st.integers(1, 15), st.sampled_from(["PERSON", "ORG"])).filter(
        lambda span: span[0] < span[1]
    ),
    max_size=3,
    unique=True,
)
values = st.fixed_dictionaries(
    {
        "topic": st.sampled_from(["news", "code", None]),
        "flags": st.sampled_from([[], ["spam"], ["spam", "tox"], ["tox", "pii"]]),
        "quality": st.sampled_from([None, 1, 5]),
        "note": st.one_of(st.none(), st.text(min_size=1).filter(lambda words: words[-1] != "\n")),
        "spans": spans.map(
            lambda found: [{"start": s, "end": e, "label": w} for s, e, w in sorted(found)]
        ),
    }
)


def test_a_comment_loses_the_line_that_the_page_adds() -> None:
    for there, here in {"a\nb\n": "a\nb", "a": "a", " a ": " a ", "\n": None, "": None}.items():
        read = read_values(FORM, {"note": {"value": there}}, TEXTS)
        assert read["note"] == (here, None)


@given(values)
def test_every_value_comes_back(given: dict[str, Any]) -> None:
    written = write_values(FORM, given, TEXTS)
    assert None not in (each["value"] for each in written.values())
    read = read_values(FORM, written, TEXTS)
    assert read == {name: (value, None) for name, value in given.items()}
    assert not any(complaint(FORM, name, value, TEXTS) for name, value in given.items())


def test_spans_are_counted_as_the_page_counts() -> None:
    given = {"spans": [{"start": 2, "end": 8, "label": "ORG"}]}
    assert TEXTS["text"][2:8] == "TARGET"
    written = write_values(FORM, given, TEXTS)
    assert written == {"spans": {"value": [{"start": 3, "end": 9, "label": "ORG"}]}}
    assert restored(stored(TEXTS["text"])) == TEXTS["text"]


def test_what_is_left_open_is_null_and_nothing_chosen_or_marked_is_an_empty_list() -> None:
    read = read_values(FORM, {"topic": {"value": "news"}, "note": {"value": ""}}, TEXTS)
    assert read == {
        "topic": ("news", None),
        "flags": ([], None),
        "quality": (None, None),
        "note": (None, None),
        "spans": ([], None),
    }


def test_choices_come_in_the_forms_order() -> None:
    read = read_values(FORM, {"flags": {"value": ["pii", "spam"]}}, TEXTS)
    assert read["flags"] == (["spam", "pii"], None)


@pytest.mark.parametrize(
    ("there", "here"),
    [(["none"], []), (["none", "toxic"], ["toxic"]), (["spam"], ["spam"])],
)
def test_none_of_these_is_no_choice(there: list[str], here: Any) -> None:
    assert read_values(FLAGS, {"flags": {"value": there}}, TEXTS) == {"flags": (here, None)}
    back = write_values(FLAGS, {"flags": here}, TEXTS)["flags"]["value"]
    assert read_values(FLAGS, {"flags": {"value": back}}, TEXTS) == {"flags": (here, None)}


@pytest.mark.parametrize(
    ("name", "there", "complaint"),
    [
        ("topic", "新闻", "not one of the choices"),
        ("topic", ["news"], "not one of the choices"),
        ("flags", "spam", "a list"),
        ("flags", ["spam", 3], "not one of the choices"),
        ("flags", [{}], "not one of the choices"),
        ("quality", 6, "not a number from 1 to 5"),
        ("quality", True, "not a number"),
        ("note", 3, "text"),
        ("spans", "all", "not an answer"),
        ("spans", [{"start": 1}], "not an answer"),
        ("spans", [{"start": "1", "end": "2", "label": "ORG"}], "not an answer"),
        ("spans", [{"start": 3, "end": 400, "label": "ORG"}], "is not within the text"),
        ("spans", [{"start": -3, "end": 4, "label": "ORG"}], "is not within the text"),
        ("spans", [{"start": 3, "end": 3, "label": "ORG"}], "is not within the text"),
        ("spans", [{"start": 3, "end": 9, "label": "CITY"}], "not one of the labels"),
    ],
)
def test_what_the_form_does_not_allow_is_named_and_kept(
    name: str, there: Any, complaint: str
) -> None:
    value, wrong = read_values(FORM, {name: {"value": there}}, TEXTS)[name]
    assert value == there
    assert complaint in str(wrong)


@pytest.mark.parametrize("values", ["no", [1], {"topic": "news"}, {"topic": {"val": 1}}])
def test_what_has_not_the_shape_of_values_is_rejected(values: Any) -> None:
    read = read_values(TOPIC, values, TEXTS)
    assert read["topic"][1]


def test_an_answer_to_no_question_is_rejected_by_name() -> None:
    read = read_values(TOPIC, {"other": {"value": 1}}, TEXTS)
    assert read["other"] == ({"value": 1}, "the form does not ask other")
    assert read["topic"] == (None, None)


def test_a_preference_is_the_fields_name() -> None:
    for value in ("first", "second", "tie"):
        assert read_values(TIED, {"better": {"value": value}}, {})["better"] == (value, None)


# ── restoring


def answer(question: str, value: Any, status: Any = "submitted") -> Annotation:
    return Annotation("x", question, "ann", value, status)


def test_a_skip_is_a_discard_and_an_answer_cut_short_a_draft() -> None:
    skipped = [answer("topic", None, "skipped"), answer("note", None, "skipped")]
    assert write_response(FORM, skipped, TEXTS) == {"status": "discarded"}
    assert write_response(FORM, [answer("topic", "news")], TEXTS) == {
        "status": "submitted",
        "values": {"topic": {"value": "news"}},
    }
    assert write_response(FORM, [answer("note", "hm")], TEXTS) == {
        "status": "draft",
        "values": {"note": {"value": "hm"}},
    }


# ── suggestions


def test_a_suggestion_names_no_model_and_a_list_has_a_score_for_each() -> None:
    given = [
        Suggestion("topic", "news", 0.8, "secret-model"),
        Suggestion("flags", ["spam", "tox"], 0.5, "secret-model"),
        Suggestion("quality", 3),
        Suggestion("spans", [{"start": 2, "end": 8, "label": "ORG"}], 1),
    ]
    assert write_suggestions(FORM, given, TEXTS, IDS) == [
        {"question_id": "id-topic", "agent": "curate", "value": "news", "score": 0.8},
        {
            "question_id": "id-flags",
            "agent": "curate",
            "value": ["spam", "tox"],
            "score": [0.5, 0.5],
        },
        {"question_id": "id-quality", "agent": "curate", "value": 3},
        {
            "question_id": "id-spans",
            "agent": "curate",
            "value": [{"start": 3, "end": 9, "label": "ORG"}],
            "score": [1],
        },
    ]


def test_nothing_is_suggested_by_nothing_but_no_span_is_a_suggestion() -> None:
    given = [Suggestion("topic", None, 0.5), Suggestion("flags", [], 0.5), Suggestion("note", "")]
    assert write_suggestions(FORM, given, TEXTS, IDS) == []
    (none,) = write_suggestions(FORM, [Suggestion("spans", [], 0.5)], TEXTS, IDS)
    assert none["value"] == []
    assert "score" not in none


@pytest.mark.parametrize(
    "suggestions",
    [
        [Suggestion("topic", "sport")],
        [Suggestion("other", "news")],
        [Suggestion("topic", "news"), Suggestion("topic", "code")],
        [Suggestion("topic", "news", 1.5)],
        [Suggestion("topic", "news", -0.1)],
        [Suggestion("topic", "news", float("nan"))],
        [Suggestion("spans", [{"start": 0, "end": 99, "label": "ORG"}])],
    ],
)
def test_a_suggestion_that_cannot_be_shown_is_refused(suggestions: list[Suggestion]) -> None:
    with pytest.raises(DataError, match="cannot be shown"):
        write_suggestions(FORM, suggestions, TEXTS, IDS)


# ── images


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("https://example.org/a.png", None),
        ("data:image/png;base64,iVBORw0KGgo=", None),
        ("", "neither a web address nor data"),
        ("s3://bucket/a.png", "neither a web address nor data"),
        ("/data/a.png", "neither a web address nor data"),
        ("https://example.org", "names no file"),
        ("https://[/a.png", "not a web address"),
        ("https://example.org/" + "a" * 2038, "over 2038"),
        ("data:text/html,<script>", "its data are text/html"),
        ("data:image/svg+xml,<svg onload=alert(1)>", "its data are image/svg.xml"),
        ("data:,", "of no kind"),
        ("data:image/png;base64," + "A" * 5_000_000, "over 5000000"),
    ],
)
def test_images_are_checked_before_they_are_sent(address: str, complaint: str | None) -> None:
    found = image_complaint(address)
    assert found is None if complaint is None else complaint.replace(".xml", "+xml") in str(found)
