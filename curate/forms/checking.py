"""The check of a value as the answer to a question."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from reprlib import Repr
from typing import Any

from curate.areas import wrong_edges
from curate.records import Form, Kind, Question

_REPR = Repr()
_REPR.maxlevel = 2
_REPR.maxlist = _REPR.maxdict = 3


def brief(value: Any) -> str:
    """A wrong value for a complaint: the ends of its strings, at most 13 characters in a row.

    Complaints stand in the ledger. They must not repeat what somebody typed: a takedown erases
    answers that quote a text, and no complaints.
    """
    return _REPR.repr(value)


def brief_name(name: Any) -> str:
    """A wrong name for a complaint, as `brief` and without quotation marks."""
    return brief(name)[1:-1] if isinstance(name, str) else brief(name)


def complaint(form: Form, question: str, value: Any, fields: Mapping[str, str]) -> str | None:
    """The complaint about an answer; None if it is valid, or open (None).

    `fields` are the texts as people see them. A choice is a string, choices are a list of strings,
    a rating is a number, a comment a string, a preference a field, a member or `tie`. Entities,
    regions and boxes are lists of marks (see `records.MARKS`).
    """
    if question not in (other.name for other in form.questions):
        return f"the form has no question {brief_name(question)}"
    definition = form.question(question)
    return None if value is None else _CHECKS[definition.kind](definition, value, fields)


def _check_choice(question: Question, value: Any, fields: Mapping[str, str]) -> str | None:
    return None if value in question.labels else f"{brief(value)} is not one of the choices"


def _check_choices(question: Question, value: Any, fields: Mapping[str, str]) -> str | None:
    if not isinstance(value, list):
        return "choices are a list"
    wrong = [choice for choice in value if choice not in question.labels]
    if wrong:
        return f"{brief(wrong[0])} is not one of the choices"
    repeated = [label for label in question.labels if value.count(label) > 1]
    return f"{repeated[0]!r} is chosen twice" if repeated else None


def _check_rating(question: Question, value: Any, fields: Mapping[str, str]) -> str | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    top = len(question.labels)
    is_valid = is_number and value in range(1, top + 1)
    return None if is_valid else f"{brief(value)} is not a number from 1 to {top}"


def _check_comment(question: Question, value: Any, fields: Mapping[str, str]) -> str | None:
    return None if isinstance(value, str) else "a comment is text"


def _check_preference(question: Question, value: Any, fields: Mapping[str, str]) -> str | None:
    sides = question.labels
    return None if value in sides else f"{brief(value)} is not one of {', '.join(sides)}"


def _check_entities(question: Question, value: Any, fields: Mapping[str, str]) -> str | None:
    if not isinstance(value, list):
        return "entities are a list"
    for span in value:
        if not isinstance(span, dict) or not {"start", "end", "label"} <= span.keys():
            return "an entity has start, end and label"
        if wrong := _wrong_mark(question, span, fields):
            return wrong
        text, start, end = fields[_field(question, span)], span["start"], span["end"]
        if not (type(start) is type(end) is int and 0 <= start < end <= len(text)):
            return f"the span {start}:{end} is not within the text"
    return None


def _check_areas(question: Question, value: Any, fields: Mapping[str, str]) -> str | None:
    if not isinstance(value, list):
        return f"{question.kind} are a list"
    for area in value:
        if not isinstance(area, dict) or "label" not in area:
            return f"{question.kind} have labels"
        if wrong := _wrong_mark(question, area, fields) or wrong_edges(question.kind, area):
            return wrong
    return None


def _wrong_mark(
    question: Question, mark: Mapping[str, Any], fields: Mapping[str, str]
) -> str | None:
    """The complaint about a mark's label or field."""
    if mark["label"] not in question.labels:
        return f"{brief(mark['label'])} is not one of the labels"
    field = _field(question, mark)
    if field not in question.fields or field not in fields:
        return f"{question.name} marks no field {brief_name(field)}"
    return None


def _field(question: Question, mark: Mapping[str, Any]) -> Any:
    return mark.get("field") or question.fields[0]


_CHECKS: dict[Kind, Callable[[Question, Any, Mapping[str, str]], str | None]] = {
    "choice": _check_choice,
    "choices": _check_choices,
    "rating": _check_rating,
    "comment": _check_comment,
    "preference": _check_preference,
    "entities": _check_entities,
    "regions": _check_areas,
    "boxes": _check_areas,
}
