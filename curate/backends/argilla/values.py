"""Conversion between Argilla's values and ours; no server, no SDK.

    kind         Argilla's value                                    our value
    choice       "news"                                             "news"
    choices      ["toxic", "spam"]                                  ["spam", "toxic"], in the form's order
    rating       4                                                  4
    comment      "good"                                             "good"
    entities     [{"start": 3, "end": 9, "label": "PER"}]           [{"start": 2, "end": 8, "label": "PER"}]
    preference   "response_a"                                       "response_a"

Argilla counts spans in UTF-16 units, we count code points (see `argilla/text.py`). The server
checks much, but not the text that a record had when it was answered. So every value is checked
again.
"""  # noqa: E501

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from curate.backends.argilla.form import none_of_these, required
from curate.backends.argilla.text import Offsets
from curate.errors import DataError
from curate.forms import brief, brief_name, complaint
from curate.records import Annotation, Form, Question, Suggestion

Texts = Mapping[str, str]
Values = Mapping[str, Any]

AGENT = "curate"
"""The source of suggestions that people see: a model's name would bias them."""

_offsets = lru_cache(maxsize=8)(Offsets)
"""The offsets of a text, cached because several people mark the same one."""

IMAGE_ADDRESS, IMAGE_DATA = 2038, 5_000_000
"""The most characters in the address of an image, and in its data."""

IMAGE_TYPES = ("avif", "gif", "ico", "jpeg", "jpg", "png", "svg", "webp")


def read_values(form: Form, values: Any, texts: Texts) -> dict[str, tuple[Any, str | None]]:
    """Question → its value, and what is wrong with it (None if nothing is).

    Every question of the form is there, with None if it was left open. Selecting nothing in a
    multi-choice or span question is an answer: an empty list. A wrong value stays as the server
    has it. A value for no question of the form stands under its own name, with a complaint.
    """
    if values is not None and not isinstance(values, Mapping):
        return {question.name: (values, "the answer has no values") for question in form.questions}
    remaining = dict(values or {})
    answers = {
        question.name: _read(form, question, remaining.pop(question.name, None), texts)
        for question in form.questions
    }
    unasked = {
        name: (value, f"the form does not ask {brief_name(name)}")
        for name, value in remaining.items()
    }
    return {**answers, **unasked}


def _read(form: Form, question: Question, answer: Any, texts: Texts) -> tuple[Any, str | None]:
    if answer is not None and not (isinstance(answer, Mapping) and "value" in answer):
        return answer, f"{question.name} has no value"
    theirs = answer["value"] if answer is not None else None
    try:
        value = _value(form, question, theirs, texts)
        wrong = complaint(form, question.name, value, texts)
    except (TypeError, KeyError, AttributeError):
        return theirs, f"{brief(theirs)} is not an answer to {question.name}"
    return (theirs, wrong) if wrong else (value, None)


def _value(form: Form, question: Question, theirs: Any, texts: Texts) -> Any:
    if question.kind == "entities":
        return _entities(form, question, theirs or [], texts)
    if question.kind == "choices" and isinstance(theirs, list | None):
        return _choices(form, question, theirs or [])
    if question.kind == "comment" and isinstance(theirs, str):
        theirs = theirs.rstrip("\n")  # the page adds a newline to a comment of several lines
    return theirs if theirs != "" else None


def _choices(form: Form, question: Question, theirs: list[Any]) -> Any:
    """The choices in the form's order, whatever the order of the clicks."""
    choices = [choice for choice in theirs if (question.name, choice) != none_of_these(form)]
    in_form = [label for label in question.labels if label in choices]
    return in_form + [choice for choice in choices if choice not in question.labels]


def _entities(form: Form, question: Question, theirs: list[Any], texts: Texts) -> Any:
    """The spans in order; an empty list if the person marked none."""
    field = question.fields[0]
    offsets = _offsets(texts[field])
    field_entry = {"field": field} if len(form.fields) > 1 else {}
    spans: list[dict[str, Any]] = []
    for span in theirs:
        start, end = offsets.here(_whole(span["start"]), _whole(span["end"]))
        spans.append({"start": start, "end": end, "label": span["label"], **field_entry})
    return sorted(spans, key=lambda span: (span["start"], span["end"], str(span["label"])))


def _whole(offset: Any) -> int:
    if type(offset) is not int:
        raise TypeError
    return offset


# ── from our values to Argilla's


def write_values(form: Form, answers: Mapping[str, Any], texts: Texts) -> dict[str, Any]:
    """A person's values by question, as the server stores them; open questions are left out."""
    none_choice = none_of_these(form)
    values: dict[str, Any] = {}
    for name, value in answers.items():
        question = form.question(name)
        if question.kind == "choices" and not value:
            theirs = [none_choice[1]] if none_choice and none_choice[0] == name else None
        else:
            theirs = write_value(question, value, texts)
        if theirs is not None:
            values[name] = {"value": theirs}
    return values


def write_value(question: Question, value: Any, texts: Texts) -> Any:
    """A value as the server stores it; None for an open answer."""
    if value is None or question.kind != "entities":
        return value
    offsets = _offsets(texts[question.fields[0]])
    spans = []
    for span in value:
        start, end = offsets.there(span["start"], span["end"])
        spans.append({"start": start, "end": end, "label": span["label"]})
    return spans


def write_response(form: Form, answers: Sequence[Annotation], texts: Texts) -> dict[str, Any]:
    """One person's answers to one task, as the server stores them.

    A skip is what Argilla calls a discard. If a required question is open, the answers are stored
    as a draft: the server would refuse them as submitted.
    """
    if all(answer.status != "submitted" for answer in answers):
        return {"status": "discarded"}
    submitted = {
        answer.question: answer.value for answer in answers if answer.status == "submitted"
    }
    values = write_values(form, submitted, texts)
    complete = required(form) <= values.keys()
    return {"status": "submitted" if complete else "draft", "values": values}


def write_suggestions(
    form: Form, suggestions: Sequence[Suggestion], texts: Texts, questions: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Suggestions as the server takes them; `questions` maps question names to its ids.

    Raises DataError for one that does not fit the form.
    """
    names = [suggestion.question for suggestion in suggestions]
    bodies = []
    for suggestion in suggestions:
        name, score = suggestion.question, suggestion.score
        wrong = complaint(form, name, suggestion.value, texts) or _wrong_score(score)
        if wrong is None and names.count(name) > 1:
            wrong = f"two suggestions for {name}"
        if wrong:
            raise DataError(f"a suggestion cannot be shown: {wrong}")
        value = write_value(form.question(name), suggestion.value, texts)
        if value is not None and (value or form.question(name).kind == "entities"):
            body = {"question_id": questions[name], "value": value, "agent": AGENT}
            bodies.append({**body, **_score(value, score)})
    return bodies


def _wrong_score(score: float | None) -> str | None:
    if score is None or (math.isfinite(score) and 0 <= score <= 1):
        return None
    return f"its score is {score}, not between 0 and 1"


def _score(value: Any, score: float | None) -> dict[str, Any]:
    """The score of a value; a list has it once for each of its items."""
    if score is None or value == []:
        return {}
    return {"score": [score] * len(value) if isinstance(value, list) else score}


# ── images


def image_complaint(address: str) -> str | None:
    """Why the server would not take an image; None if it would."""
    scheme = address.partition(":")[0].lower()
    if scheme in ("http", "https"):
        return _address_complaint(address)
    if scheme != "data":
        return f"{address[:60]!r} is neither a web address nor data"
    kind = address[5:].partition(";")[0].partition(",")[0]
    if kind not in (f"image/{name}" for name in IMAGE_TYPES):
        return f"its data are {kind or 'of no kind'}, not one of {', '.join(IMAGE_TYPES)}"
    return f"its data are over {IMAGE_DATA} characters" if len(address) > IMAGE_DATA else None


def _address_complaint(address: str) -> str | None:
    try:
        parts = urlsplit(address)
    except ValueError:
        return f"{address[:60]!r} is not a web address"
    if not parts.netloc or not parts.path:
        return f"{address[:60]!r} names no file"
    return (
        f"its address is over {IMAGE_ADDRESS} characters" if len(address) > IMAGE_ADDRESS else None
    )
