"""Prodigy: JSON lines of `db-out`, by its documentation of annotation interfaces.

`spans` answer the first span question; `accept` (and `label`, accepted) the first question of
choices, by the ids of options or their words. A text that was typed (`user_input`, or the name of a
question) is a comment, `audio_spans` are regions, and rectangles of an image are boxes. `answer:
ignore` is a skip; `reject` is a rejection.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curate.errors import DataError
from curate.pull.formats.files import files, json_rows
from curate.pull.formats.made import Asked, Columns, Made, name_of, number_of
from curate.pull.formats.values import answer, listed, main_field, of_form, of_kinds, texts_of
from curate.records import Form, Question, Status

STATUSES: dict[str, Status] = {"accept": "submitted", "ignore": "skipped", "reject": "rejected"}

UNMARKED = ("choice", "classification", "text", "text_input", "html", "compare", "diff")
"""The interfaces that show spans, but let nobody change them."""

SIZES = {"x": "width", "y": "height", "width": "width", "height": "height"}
"""The edges of a rectangle, in pixels, and the size of the image that each is a part of."""


def read(path: Path, form: Form, columns: Columns) -> Iterator[Made]:
    """Yield the answers of a file or folder; a file without names is named after its person."""
    for file in files(path, "*.jsonl", "*.json"):
        for where, stored in json_rows(file):
            row = columns.applied(stored)
            who = row.get("annotator") or row.get("_annotator_id") or row.get("_session_id")
            yield Made(
                where=where,
                annotator=str(who or file.stem),
                answers=_answers(form, row) | of_form(form, columns.declared(stored)),
                id=_id(row),
                texts=texts_of(form, row),
                status=STATUSES.get(str(row.get("answer", "accept")), "submitted"),
                at=_time(row.get("_timestamp"), where),
                data=stored,
            )


def _id(row: Mapping[str, Any]) -> str | None:
    """Our id where the row was made from our template, in which it stands twice."""
    meta = row.get("meta")
    own = row["id"] if row.get("id") is not None else isinstance(meta, dict) and meta.get("id")
    return name_of(own) if own else None


def _time(stamp: Any, where: str) -> str | None:
    """Seconds since 1970 as a time. Raises DataError for what are none."""
    try:
        return datetime.fromtimestamp(float(stamp), UTC).isoformat() if stamp else None
    except (TypeError, ValueError, OverflowError, OSError):
        raise DataError(f"{where}: _timestamp is no number of seconds: {stamp!r}") from None


def _answers(form: Form, row: Mapping[str, Any]) -> dict[str, Any]:
    chosen = of_kinds(form, "choice", "choices", "rating", "preference")
    answers = _marks(form, row) | _comments(form, row)
    if chosen and ("accept" in row or "label" in row):
        said = _chosen(chosen, row)
        answers[chosen.name] = answer(chosen, said) if said else None
        if not said and chosen.kind == "choices":
            answers[chosen.name] = []
    if row.get("relations"):
        answers["relations"] = row["relations"]
    return answers or {(chosen or form.questions[0]).name: None}


def _marks(form: Form, row: Mapping[str, Any]) -> dict[str, Any]:
    """The answers to the questions of spans, regions and boxes, of an interface that has them."""
    if row.get("_view_id") in UNMARKED:
        return {}
    spans, regions, boxes = (of_kinds(form, kind) for kind in ("entities", "regions", "boxes"))
    answers: dict[str, Any] = {}
    if spans and ("spans" in row or "tokens" in row):
        answers[spans.name] = answer(spans, row.get("spans") or [])
    if regions and "audio_spans" in row:
        answers[regions.name] = answer(regions, row["audio_spans"] or [])
    if boxes and "image" in row and "spans" in row:
        rectangles = [_in_percent(own, row) for own in listed(row["spans"])]
        answers[boxes.name] = answer(boxes, rectangles)
    return answers


def _in_percent(mark: Any, row: Mapping[str, Any]) -> Any:
    """A rectangle in percent of its image; what is none stays as it is."""
    if not isinstance(mark, dict):
        return mark
    edges = {edge: number_of(mark.get(edge)) for edge in SIZES}
    sizes = {edge: number_of(row.get(size)) for edge, size in SIZES.items()}
    parts = {
        edge: 100 * number / size
        for edge, number in edges.items()
        if number is not None and (size := sizes[edge])
    }
    return {**mark, **parts} if len(parts) == len(SIZES) else {"label": mark.get("label")}


def _comments(form: Form, row: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed: under the name of a question, or else as the first comment."""
    first = of_kinds(form, "comment")
    typed = {first.name: row.get("user_input")} if first else {}
    named = {own.name: row.get(own.name) for own in form.questions if own.kind == "comment"}
    return {
        name: words
        for name, words in (*typed.items(), *named.items())
        if isinstance(words, str) and words
    }


def _chosen(question: Question, row: Mapping[str, Any]) -> list[Any]:
    """What was accepted: options by their words, where their ids are no labels of the form."""
    options = [option for option in listed(row.get("options")) if isinstance(option, dict)]
    words = {str(option.get("id")): option.get("text") for option in options}
    said = row.get("accept", row.get("label"))
    entries = said if isinstance(said, list) else [said] if said else []
    known = {str(entry): answer(question, entry) for entry in entries}
    return [
        entry if _is_label(question, known[str(entry)]) else words.get(str(entry)) or entry
        for entry in entries
    ]


def _is_label(question: Question, value: Any) -> bool:
    """Whether a value is one of the question's labels, or a list of them."""
    return all(
        str(own) in question.labels for own in (value if isinstance(value, list) else [value])
    )


def template(tasks: Iterable[Asked], form: Form) -> str:
    """The texts as Prodigy loads them."""
    rows = ({"id": task.id, "meta": {"id": task.id}, **_text(task, form)} for task in tasks)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _text(task: Asked, form: Form) -> dict[str, Any]:
    return {**task.texts, "text": task.texts[main_field(form)]}
