"""Argilla's values to ours and back; no server, no SDK.

    kind         value there                                        value here
    choice       "news"                                             "news"
    choices      ["toxic", "spam"]                                  ["spam", "toxic"], in the form's order
    rating       4                                                  4
    comment      "good"                                             "good"
    entities     [{"start": 3, "end": 9, "label": "PER"}]           [{"start": 2, "end": 8, "label": "PER"}]
    preference   "response_a"                                       "response_a"

Spans are counted in UTF-16 units there and in code points here (see `argilla_text`). The server
checks much, but not what a record said when it was answered, so every value is checked again.
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
from curate.forms import complaint
from curate.records import Annotation, Form, Question, Suggestion

Texts = Mapping[str, str]
Values = Mapping[str, Any]

AGENT = "curate"
"""Who suggests, for people to see: which model it was would bias them."""

_offsets = lru_cache(maxsize=8)(Offsets)
"""The offsets of a text: several people mark the same one."""

IMAGE_ADDRESS, IMAGE_DATA = 2038, 5_000_000
"""How long the address of an image may be, and how long its data."""

IMAGE_TYPES = ("avif", "gif", "ico", "jpeg", "jpg", "png", "svg", "webp")


def read_values(form: Form, values: Any, texts: Texts) -> dict[str, tuple[Any, str | None]]:
    """Return, by question, the value and what is wrong with it.

    Every question of the form is there, with None where it was left open; who chose or marked
    nothing, where several can be, answers with an empty list. A value that is wrong is the server's
    own, unchanged. What answers no question of the form stands under its own
    name, with the complaint that it does.
    """
    if values is not None and not isinstance(values, Mapping):
        return {each.name: (values, "the answer has no values") for each in form.questions}
    given = dict(values or {})
    read = {
        each.name: _read(form, each, given.pop(each.name, None), texts) for each in form.questions
    }
    strange = {name: (value, f"the form does not ask {name}") for name, value in given.items()}
    return {**read, **strange}


def _read(form: Form, question: Question, given: Any, texts: Texts) -> tuple[Any, str | None]:
    if given is not None and not (isinstance(given, Mapping) and "value" in given):
        return given, f"{question.name} has no value"
    there = given["value"] if given is not None else None
    try:
        value = _value(form, question, there, texts)
        wrong = complaint(form, question.name, value, texts)
    except (TypeError, KeyError, AttributeError):
        return there, f"{there!r} is no answer to {question.name}"
    return (there, wrong) if wrong else (value, None)


def _value(form: Form, question: Question, there: Any, texts: Texts) -> Any:
    if question.kind == "entities":
        return _entities(form, question, there or [], texts)
    if question.kind == "choices" and isinstance(there, list | None):
        return _choices(form, question, there or [])
    if question.kind == "comment" and isinstance(there, str):
        there = there.rstrip("\n")  # the page adds one to what has several lines
    return there if there != "" else None


def _choices(form: Form, question: Question, there: list[Any]) -> Any:
    """Return the choices in the form's order, whatever the order of the clicks."""
    chosen = [each for each in there if (question.name, each) != none_of_these(form)]
    known = [label for label in question.labels if label in chosen]
    return known + [each for each in chosen if each not in question.labels]


def _entities(form: Form, question: Question, there: list[Any], texts: Texts) -> Any:
    """Return the spans in order; a person who marked none has found none."""
    field = question.fields[0]
    offsets = _offsets(texts[field])
    named = {"field": field} if len(form.fields) > 1 else {}
    spans: list[dict[str, Any]] = []
    for each in there:
        start, end = offsets.here(_whole(each["start"]), _whole(each["end"]))
        spans.append({"start": start, "end": end, "label": each["label"], **named})
    return sorted(spans, key=lambda span: (span["start"], span["end"], str(span["label"])))


def _whole(offset: Any) -> int:
    if type(offset) is not int:
        raise TypeError
    return offset


# ── and back


def write_values(form: Form, answers: Mapping[str, Any], texts: Texts) -> dict[str, Any]:
    """Return a person's values, by question, as the server stores them; open ones are left out."""
    nothing = none_of_these(form)
    written: dict[str, Any] = {}
    for name, value in answers.items():
        question = form.question(name)
        if question.kind == "choices" and not value:
            there = [nothing[1]] if nothing and nothing[0] == name else None
        else:
            there = write_value(question, value, texts)
        if there is not None:
            written[name] = {"value": there}
    return written


def write_value(question: Question, value: Any, texts: Texts) -> Any:
    """Return what stands for a value on the server; None for an open answer."""
    if value is None or question.kind != "entities":
        return value
    offsets = _offsets(texts[question.fields[0]])
    spans = []
    for span in value:
        start, end = offsets.there(span["start"], span["end"])
        spans.append({"start": start, "end": end, "label": span["label"]})
    return spans


def write_response(form: Form, answers: Sequence[Annotation], texts: Texts) -> dict[str, Any]:
    """Return one person's answers to one task's questions as the server stores them.

    A skip is what Argilla calls a discard. An answer without a question that must be answered is
    kept as a draft: the server would refuse it as submitted.
    """
    if all(each.status != "submitted" for each in answers):
        return {"status": "discarded"}
    given = {each.question: each.value for each in answers if each.status == "submitted"}
    values = write_values(form, given, texts)
    complete = required(form) <= values.keys()
    return {"status": "submitted" if complete else "draft", "values": values}


def write_suggestions(
    form: Form, suggestions: Sequence[Suggestion], texts: Texts, questions: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return suggestions as the server takes them; `questions` holds its ids, by name.

    Raises DataError for one that does not fit the form.
    """
    asked = [each.question for each in suggestions]
    written = []
    for each in suggestions:
        wrong = complaint(form, each.question, each.value, texts) or _wrong_score(each.score)
        if wrong is None and asked.count(each.question) > 1:
            wrong = f"two suggestions for {each.question}"
        if wrong:
            raise DataError(f"a suggestion cannot be shown: {wrong}")
        value = write_value(form.question(each.question), each.value, texts)
        if value is not None and (value or form.question(each.question).kind == "entities"):
            suggestion = {"question_id": questions[each.question], "value": value, "agent": AGENT}
            written.append({**suggestion, **_score(value, each.score)})
    return written


def _wrong_score(score: float | None) -> str | None:
    if score is None or (math.isfinite(score) and 0 <= score <= 1):
        return None
    return f"its score is {score}, not between 0 and 1"


def _score(value: Any, score: float | None) -> dict[str, Any]:
    """Return the score; a list has one for each of its items."""
    if score is None or value == []:
        return {}
    return {"score": [score] * len(value) if isinstance(value, list) else score}


def image_complaint(address: str) -> str | None:
    """Return why the server would not take an image, or None."""
    scheme = address.partition(":")[0].lower()
    if scheme in ("http", "https"):
        return _address_complaint(address)
    if scheme != "data":
        return f"{address[:60]!r} is no web address and no data"
    kind = address[5:].partition(";")[0].partition(",")[0]
    if kind not in (f"image/{each}" for each in IMAGE_TYPES):
        return f"its data are {kind or 'of no kind'}, not one of {', '.join(IMAGE_TYPES)}"
    return f"its data are over {IMAGE_DATA} characters" if len(address) > IMAGE_DATA else None


def _address_complaint(address: str) -> str | None:
    try:
        parts = urlsplit(address)
    except ValueError:
        return f"{address[:60]!r} is no web address"
    if not parts.netloc or not parts.path:
        return f"{address[:60]!r} names no file"
    return (
        f"its address is over {IMAGE_ADDRESS} characters" if len(address) > IMAGE_ADDRESS else None
    )
