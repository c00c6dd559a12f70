"""Whether a value answers a question."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from curate.records import Form, Kind, Question


def complaint(form: Form, question: str, value: Any, fields: Mapping[str, str]) -> str | None:
    """Return what is wrong with an answer, or None; an open answer (None) is never wrong.

    `fields` are the texts as shown. The shapes are the public ones: a choice is a string, choices
    a list of strings, a rating a number, a comment a string, a preference a field, a member or
    `tie`, entities a list of `{"start", "end", "label"}` in code points.
    """
    if question not in (each.name for each in form.questions):
        return f"the form has no question {question}"
    asked = form.question(question)
    return None if value is None else _CHECKS[asked.kind](asked, value, fields)


def _check_choice(asked: Question, value: Any, fields: Mapping[str, str]) -> str | None:
    return None if value in asked.labels else f"{value!r} is none of the choices"


def _check_choices(asked: Question, value: Any, fields: Mapping[str, str]) -> str | None:
    if not isinstance(value, list):
        return "choices are a list"
    wrong = [each for each in value if each not in asked.labels]
    if wrong:
        return f"{wrong[0]!r} is none of the choices"
    twice = [each for each in asked.labels if value.count(each) > 1]
    return f"{twice[0]!r} is chosen twice" if twice else None


def _check_rating(asked: Question, value: Any, fields: Mapping[str, str]) -> str | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    top = len(asked.labels)
    known = number and value in range(1, top + 1)
    return None if known else f"{value!r} is no number from 1 to {top}"


def _check_comment(asked: Question, value: Any, fields: Mapping[str, str]) -> str | None:
    return None if isinstance(value, str) else "a comment is text"


def _check_preference(asked: Question, value: Any, fields: Mapping[str, str]) -> str | None:
    known = asked.labels
    return None if value in known else f"{value!r} is none of {', '.join(known)}"


def _check_entities(asked: Question, value: Any, fields: Mapping[str, str]) -> str | None:
    if not isinstance(value, list):
        return "entities are a list"
    for span in value:
        if not isinstance(span, dict) or not {"start", "end", "label"} <= span.keys():
            return "an entity has start, end and label"
        if span["label"] not in asked.labels:
            return f"{span['label']!r} is none of the labels"
        field = span.get("field", asked.fields[0])
        if field not in asked.fields or field not in fields:
            return f"{asked.name} marks no field {field}"
        text, start, end = fields[field], span["start"], span["end"]
        if not (type(start) is type(end) is int and 0 <= start < end <= len(text)):
            return f"the span {start}:{end} does not lie in the text"
    return None


_CHECKS: dict[Kind, Callable[[Question, Any, Mapping[str, str]], str | None]] = {
    "choice": _check_choice,
    "choices": _check_choices,
    "rating": _check_rating,
    "comment": _check_comment,
    "preference": _check_preference,
    "entities": _check_entities,
}
