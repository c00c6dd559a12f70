"""Values of other tools as answers to the questions of a form."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from curate.areas import EDGES as AREAS
from curate.records import MARKS, Form, Kind, Question
from curate.text import composed

SEPARATORS = ("[;|；｜]", "[,，、]", "#", "\n")
"""What stands between several labels in one cell; the first that leaves only labels counts."""

EDGES = {
    "start": ("start", "start_offset", "startOffset"),
    "end": ("end", "end_offset", "endOffset"),
}
"""The names that tools have for the ends of a span, ours first."""

LABELS = ("label", "name", "labels", "rectanglelabels", "annotation")
"""The names that tools have for the label of a mark."""

WORDS = ("text", "span", "surface")
"""The names that tools have for the words of a span."""

BODIES: dict[Kind, tuple[str, ...]] = {
    "choice": ("choices",),
    "choices": ("choices",),
    "rating": ("rating",),
    "comment": ("text",),
    "preference": ("selected", "choices"),
}
"""The keys under which Label Studio has the value of a kind of question."""

ALONE: tuple[Kind, ...] = ("choice", "rating", "preference")
"""The kinds whose answer is one value: nothing chosen is no answer."""

SIDES = ("left", "right")
"""The two texts of a comparison by their places on Label Studio's page."""


def answer(question: Question, value: Any) -> Any:
    """A value in the shape of the question's answers; what has no such shape stays as it is.

    Labels may be written as the page shows them. Lists may be JSON or Python, or apart by marks.
    """
    if value is None or value == "":
        return None
    value = _body(question, _parsed(question, value))
    if value == [] and question.kind in ALONE:
        return None
    if question.kind == "comment":
        return _words(value)
    if question.kind == "rating":
        return _number(_alone(value))
    if question.kind == "choice":
        return _label(question, _alone(value))
    if question.kind == "preference":
        return _side(question, _alone(value))
    entries = _entries(question, value)
    if question.kind == "choices":
        return [_label(question, entry) for entry in entries]
    return [mark for entry in entries for mark in _marks(question, entry)]


def _parsed(question: Question, value: Any) -> Any:
    """A list or an object that is written as text, as JSON or as Python writes it.

    A comment is a text, whatever it looks like, but for that of several lines in a table of Label
    Studio: `{"text": [...]}`.
    """
    whole = value if isinstance(value, str) and value in question.labels else parsed(value)
    is_lines = isinstance(whole, dict) and [*whole] == ["text"]
    return whole if question.kind != "comment" or is_lines else value


def parsed(value: Any) -> Any:
    """A list or an object that is written as text, as JSON or as in Python; else the value."""
    if not isinstance(value, str) or not value.lstrip().startswith(("[", "{")):
        return value
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(value.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return value


def _body(question: Question, value: Any) -> Any:
    """What an object of Label Studio holds for a question of this kind."""
    keys = BODIES.get(question.kind, ())
    inner = _alone(value) if question.kind not in MARKS else value
    if isinstance(inner, dict):
        return next((inner[key] for key in keys if key in inner), value)
    return value


def _words(value: Any) -> str | None:
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "\n".join(value) or None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _alone(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _entries(question: Question, value: Any) -> list[Any]:
    if not isinstance(value, str):
        return value if isinstance(value, list) else [value]
    if _label(question, value) in question.labels:
        return [value]
    for separator in SEPARATORS:
        parts = [part.strip() for part in re.split(separator, value)]
        if all(_label(question, part) in question.labels for part in parts):
            return [*parts]
    return [part.strip() for part in re.split(SEPARATORS[0], value)]


def _number(value: Any) -> Any:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return value
    return int(number) if number.is_integer() else number


def _side(question: Question, value: Any) -> Any:
    """The side of a comparison, also where the tool names it by its place on the page."""
    own = _label(question, value)
    if question.tag == "Pairwise" and own in SIDES and own not in question.labels:
        return question.labels[SIDES.index(own)]
    return own


def _label(question: Question, value: Any) -> Any:
    """The form's label: as it stands, or by the words that the page shows for it.

    Capitals, the width of letters and white space around do not count, unless two labels differ in
    nothing else.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if str(value) in question.labels else value
    if not isinstance(value, str) or value in question.labels:
        return value
    words = [*zip(question.shown, question.labels, strict=False)]
    words += [(label, label) for label in question.labels]
    meant = {label for shown, label in words if shown == value}
    meant = meant or {label for shown, label in words if _folded(shown) == _folded(value)}
    return meant.pop() if len(meant) == 1 else value


def _folded(words: str) -> str:
    return composed(words, "NFKC").strip().casefold()


def _marks(question: Question, entry: Any) -> list[Any]:
    """The marks of an entry, one a label: edges and label of an object, or of a list of these."""
    edges = AREAS.get(question.kind, ("start", "end"))
    if isinstance(entry, list | tuple) and len(entry) == len(edges) + 1:
        entry = dict(zip((*edges, "label"), entry, strict=True))
    if not isinstance(entry, dict):
        return [entry]
    numbers = {
        edge: _place(
            next((entry[name] for name in EDGES.get(edge, (edge,)) if name in entry), None)
        )
        for edge in edges
    }
    labels = next((entry[name] for name in LABELS if name in entry), None)
    field = entry.get("field") or entry.get("target_field")
    words = next((entry[name] for name in WORDS if isinstance(entry.get(name), str)), None)
    beside = {"field": field, "text": words if question.kind == "entities" else None}
    several = labels if isinstance(labels, list) and labels else [labels]
    return [
        {**numbers, "label": _label(question, label)}
        | {name: value for name, value in beside.items() if value}
        for label in several
    ]


def _place(value: Any) -> Any:
    """An edge that is written as text, as a number."""
    return _number(value) if isinstance(value, str | float) else value


def asked_of(form: Form, seen: Collection[str]) -> set[str]:
    """The questions that a file was made with: those `seen` in some row; all where none is.

    Tools leave out what is empty, so that a question that was never asked looks like one to which
    everybody answered nothing.
    """
    names = {own.name for own in form.questions}
    return names.intersection(seen) if seen else names


def listed(value: Any) -> list[Any]:
    """A list as it is; nothing as an empty one, and anything else as one of itself."""
    return value if isinstance(value, list) else [] if value is None else [value]


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


def main_field(form: Form) -> str:
    """The field that a tool shows which has one text: the one that is marked, or the first."""
    marked = of_kinds(form, "entities")
    return marked.fields[0] if marked else form.fields[0]
