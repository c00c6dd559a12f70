"""Values of other tools as answers to the questions of a form."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from curate.areas import EDGES as AREAS
from curate.records import Form, Kind, Question

_APART = re.compile(r"\s*[;|]\s*")

EDGES = {
    "start": ("start", "start_offset", "startOffset"),
    "end": ("end", "end_offset", "endOffset"),
}
"""The names that tools have for the ends of a span, ours first."""

LABELS = ("label", "name", "labels", "rectanglelabels")
"""The names that tools have for the label of a mark."""


def answer(question: Question, value: Any) -> Any:
    """A value in the shape of the question's answers; what has no such shape stays as it is.

    Labels may be written as the page shows them. Lists may be JSON, or apart by ; or |.
    """
    if value is None or value == "":
        return None
    if question.kind == "comment":
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if question.kind == "rating":
        return _number(_alone(value))
    if question.kind in ("choice", "preference"):
        return _label(question, _alone(value))
    entries = _entries(question, value)
    if question.kind == "choices":
        return [_label(question, entry) for entry in entries]
    return [_mark(question, entry) for entry in entries]


def _alone(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _entries(question: Question, value: Any) -> list[Any]:
    if isinstance(value, dict) and isinstance(value.get("choices"), list):
        return list(value["choices"])
    if isinstance(value, str) and value.startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return [value]
    if isinstance(value, str):
        return [value] if _label(question, value) in question.labels else _APART.split(value)
    return value if isinstance(value, list) else [value]


def _number(value: Any) -> Any:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return value
    return int(number) if number.is_integer() else number


def _label(question: Question, value: Any) -> Any:
    """The form's label: as it stands, or by the words that the page shows for it."""
    if not isinstance(value, str) or value in question.labels:
        return value
    shown = dict(zip(question.shown, question.labels, strict=True)) if question.shown else {}
    folded = {words.casefold(): label for words, label in (*shown.items(),)}
    folded |= {label.casefold(): label for label in question.labels}
    return shown.get(value, folded.get(value.strip().casefold(), value))


def _mark(question: Question, entry: Any) -> Any:
    """A mark as its edges and its label: of an object, or of a list of these."""
    edges = AREAS.get(question.kind, ("start", "end"))
    if isinstance(entry, list) and len(entry) == len(edges) + 1:
        entry = dict(zip((*edges, "label"), entry, strict=True))
    if not isinstance(entry, dict):
        return entry
    numbers = {
        edge: next((entry[name] for name in EDGES.get(edge, (edge,)) if name in entry), None)
        for edge in edges
    }
    label = next((entry[name] for name in LABELS if name in entry), None)
    field = {"field": entry["field"]} if entry.get("field") else {}
    return {**numbers, "label": _label(question, _alone(label)), **field}


def of_kinds(form: Form, *kinds: Kind) -> Question | None:
    """The first question of these kinds, for a tool whose answers name none; None without any."""
    return next((question for question in form.questions if question.kind in kinds), None)


def of_form(form: Form, row: Mapping[str, Any]) -> dict[str, Any]:
    """The answers of a row that has the form's questions as keys."""
    return {
        question.name: answer(question, row[question.name])
        for question in form.questions
        if question.name in row
    }


def texts_of(form: Form, row: Mapping[str, Any]) -> dict[str, str]:
    """The fields that the form shows, as far as a row has them.

    `text` is the text of a form that shows one field.
    """
    texts = {name: row[name] for name in form.fields if isinstance(row.get(name), str)}
    if not texts and len(form.fields) == 1 and isinstance(row.get("text"), str):
        texts = {form.fields[0]: row["text"]}
    return texts
