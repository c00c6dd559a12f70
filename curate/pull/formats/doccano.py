"""doccano: JSONL or JSON of an export, a file for each person (or a folder of them).

`label` holds spans `[start, end, label]`, the names of classes, or texts; `entities` spans with
offsets (beside `relations`), `cats` the classes beside spans.

doccano lists every text in everybody's file, also those that a person never opened. So in a folder
of several files, one in which nothing is labelled is of somebody who answered nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from curate.errors import DataError
from curate.pull.formats.made import Asked, Columns, Made, files, json_rows
from curate.pull.formats.values import answer, main_field, of_form, of_kinds, texts_of
from curate.records import Form

CLASSES = (str, int, float)
"""The types of what is no span."""


def read(path: Path, form: Form, columns: Columns) -> Iterator[Made]:
    """Yield the answers of a file or folder; a file is named after its person."""
    paths = files(path, "*.jsonl")
    for file in paths:
        made = [_made(where, row, file, form, columns) for where, row in json_rows(file)]
        is_silent = len(paths) > 1 and not any(any(own.answers.values()) for own in made)
        yield from (replace(own, answers={}) if is_silent else own for own in made)


def _made(where: str, stored: dict[str, Any], file: Path, form: Form, columns: Columns) -> Made:
    meta = stored["meta"] if isinstance(stored.get("meta"), dict) else {}
    row = columns.applied({**meta, **stored})
    texts = texts_of(form, row) or texts_of(form, {"text": row.get("data")})
    return Made(
        where=where,
        annotator=str(row.get("annotator") or row.get("username") or file.stem),
        answers=_answers(form, row, where) | of_form(form, columns.declared(stored)),
        id=str(row["curate_id"]) if row.get("curate_id") else None,
        texts=texts,
        data={**stored, **meta},
    )


def _answers(form: Form, row: Mapping[str, Any], where: str) -> dict[str, Any]:
    spans, chosen = of_kinds(form, "entities"), of_kinds(form, "choice", "choices", "rating")
    comment = of_kinds(form, "comment")
    said = [entry for name in ("entities", "label", "labels") for entry in _list(row, name, where)]
    marked = [entry for entry in said if not isinstance(entry, CLASSES)]
    words = [str(entry) for entry in said if isinstance(entry, CLASSES)]
    classes = words + [str(entry) for entry in _list(row, "cats", where)]
    remarks = [str(entry) for entry in _list(row, "Comments", where)]
    answers: dict[str, Any] = {}
    if spans and (marked or "entities" in row or not chosen or "cats" in row):
        answers[spans.name] = answer(spans, marked)
    if chosen:
        is_set = chosen.kind == "choices"
        answers[chosen.name] = answer(chosen, classes) if classes or is_set else None
    elif words and not spans:  # texts written by the person
        remarks = [*words, *remarks]
    if comment and remarks:
        answers[comment.name] = "\n".join(remarks)
    return answers


def _list(row: Mapping[str, Any], name: str, where: str) -> list[Any]:
    value = row.get(name)
    if value is None or isinstance(value, list):
        return value or []
    if isinstance(value, CLASSES):
        return [value]
    raise DataError(f"{where}: {name} is no list")


def template(tasks: Iterable[Asked], form: Form) -> str:
    """The texts as doccano imports them; it keeps other keys as they are."""
    rows = (
        {**task.texts, "text": task.texts[main_field(form)], "label": [], "curate_id": task.id}
        for task in tasks
    )
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
