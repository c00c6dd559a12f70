"""doccano: an export of JSONL, JSON, CSV or fastText, a file for each person (or a folder of them).

`label` holds spans `[start, end, label]`, the names of classes, or texts; `entities` spans with
offsets (beside `relations`), `cats` the classes beside spans, `annotations` either with the number
of the person. In CSV several labels are joined by `#`; fastText writes `__label__NAME` before each
text.

doccano lists every text in everybody's file, also those that a person never opened. So in a folder
of several files, one in which nothing is labelled is of somebody who answered nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from curate.errors import DataError
from curate.pull.formats.files import Row, csv_rows, files, json_rows, read_text
from curate.pull.formats.made import Asked, Columns, Made
from curate.pull.formats.values import answer, main_field, of_form, of_kinds, texts_of
from curate.records import Form, Question

CLASSES = (str, int, float)
"""The types of what is no span."""

LABELS = ("label", "labels")
MARKED = ("entities", "annotations", *LABELS)
LABELLED = (*MARKED, "cats")
"""The keys that may hold spans, and those that may hold a label at all."""

FAST = "__label__"
"""Stands before each label in fastText's format."""


@dataclass(frozen=True)
class Said:
    """What a row holds: spans, classes or texts, and remarks."""

    marked: tuple[Any, ...]
    words: tuple[str, ...]
    remarks: tuple[str, ...]


def read(path: Path, form: Form, columns: Columns) -> Iterator[Made]:
    """Yield the answers of a file or folder; a file is named after its person."""
    by_file = {
        file: [
            (where, own, _said(own, where))
            for where, row in _rows(file, form)
            for own in _by_person(_flat(row))
        ]
        for file in files(path, "*.jsonl", "*.json", "*.csv", "*.txt")
    }
    asked = _asked(form, [(row, said) for rows in by_file.values() for _, row, said in rows])
    for file, rows in by_file.items():
        made = [
            _made(where, row, file, form, columns, _answers(form, asked, row, said))
            for where, row, said in rows
        ]
        is_silent = len(by_file) > 1 and not any(any(own.answers.values()) for own in made)
        yield from (replace(own, answers={}) if is_silent else own for own in made)


def _rows(path: Path, form: Form) -> Iterator[Row]:
    if path.suffix == ".txt":
        yield from _fast_rows(path, form)
    elif path.suffix == ".csv":
        yield from csv_rows(path)
    else:
        yield from json_rows(path)


def _fast_rows(path: Path, form: Form) -> Iterator[Row]:
    """Yield the rows of fastText's format: a line that begins with no label goes on with a text."""
    names = sorted({own for question in form.questions for own in _names(question)}, key=len)
    row: dict[str, Any] | None = None
    place = ""
    for number, line in enumerate(read_text(path).rstrip("\n").split("\n"), 1):
        if row is not None and not line.startswith((FAST, " ")):
            row["text"] += f"\n{line}"
            continue
        if row is not None:
            yield place, row
        *first, last = line.split(FAST)
        labels = [own.strip() for own in first if own.strip()]
        label = ""
        if first:
            known = [own for own in names if last.startswith(f"{own} ")]
            label = known[-1] if known else last.partition(" ")[0]
            labels.append(label)
        text = last[len(label) :].removeprefix(" ")
        place, row = f"{path.name}, line {number}", {"text": text, "label": labels}
    if row is not None:
        yield place, row


def _names(question: Question) -> tuple[str, ...]:
    return (*question.labels, *question.shown)


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """The row with spans and classes that stand within its label beside its text."""
    label = row.get("label")
    return {**row, "label": None, **label} if isinstance(label, Mapping) else row


def _by_person(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The row, or of an old export one for each person whose annotations it holds."""
    entries = row.get("annotations")
    if not isinstance(entries, list) or not all(isinstance(own, dict) for own in entries):
        return [row]
    people = dict.fromkeys(own.get("user") for own in entries)
    return [
        {**row, "annotations": [own for own in entries if own.get("user") == person]}
        | ({} if person is None else {"annotator": person})
        for person in people
    ] or [row]


def _said(row: Mapping[str, Any], where: str) -> Said:
    """What a row holds. Raises DataError for what is no list."""
    held = [entry for name in MARKED for entry in _list(row, name, where)]
    classes = [
        own["label"] if isinstance(own, Mapping) and set(own).isdisjoint(OFFSETS) else own
        for own in held
        if not isinstance(own, Mapping) or "label" in own
    ]
    words = [str(own) for own in classes if isinstance(own, CLASSES)]
    words += [str(own) for own in _list(row, "cats", where)]
    marked = [own for own in classes if not isinstance(own, CLASSES)]
    remarks = [str(own) for own in _list(row, "Comments", where)]
    return Said(tuple(marked), tuple(words), tuple(remarks))


OFFSETS = ("start_offset", "end_offset", "start", "end")
"""The keys of a span, of which a class has none."""


def _list(row: Mapping[str, Any], name: str, where: str) -> list[Any]:
    value = row.get(name)
    if value is None or isinstance(value, list):
        return value or []
    if isinstance(value, CLASSES):
        return [value]
    raise DataError(f"{where}: {name} is no list")


def _asked(form: Form, rows: Sequence[tuple[Mapping[str, Any], Said]]) -> set[str]:
    """The questions that the project asked: that of spans, that of classes, or both.

    Where nothing is labelled, a list of either kind is there only if it was asked for.
    """
    spans, chosen = _questions(form)
    keys = {name for row, _ in rows for name in row}
    is_marked = any(said.marked for _, said in rows) or "entities" in keys
    is_classed = any(said.words for _, said in rows) or "cats" in keys
    is_open = not is_marked and not is_classed and not keys.isdisjoint(LABELLED)
    names = {spans.name} if spans and (is_marked or (is_open and not chosen)) else set()
    return names | ({chosen.name} if chosen and (is_classed or (is_open and not spans)) else set())


def _questions(form: Form) -> tuple[Question | None, Question | None]:
    """The question of spans, and that of classes."""
    return of_kinds(form, "entities"), of_kinds(form, "choice", "choices", "rating", "preference")


def _made(
    where: str,
    stored: dict[str, Any],
    file: Path,
    form: Form,
    columns: Columns,
    answers: Mapping[str, Any],
) -> Made:
    meta = stored["meta"] if isinstance(stored.get("meta"), dict) else {}
    row = columns.applied({**meta, **stored})
    texts = texts_of(form, row) or texts_of(form, {"text": row.get("data")})
    return Made(
        where=where,
        annotator=str(row.get("annotator") or row.get("username") or file.stem),
        answers={**answers} | of_form(form, columns.declared(stored)),
        id=str(row["curate_id"]) if row.get("curate_id") else None,
        texts=texts,
        data={**stored, **meta},
    )


def _answers(form: Form, asked: set[str], row: Mapping[str, Any], said: Said) -> dict[str, Any]:
    spans, chosen = _questions(form)
    comment = of_kinds(form, "comment")
    answers: dict[str, Any] = {"relations": row["relations"]} if row.get("relations") else {}
    has_label = not row.keys().isdisjoint(LABELLED)
    if spans and spans.name in asked and has_label:
        answers[spans.name] = answer(spans, [*said.marked])
    if chosen and chosen.name in asked:
        words = said.words[0] if len(said.words) == 1 else [*said.words]
        is_set = chosen.kind == "choices" and has_label
        answers[chosen.name] = answer(chosen, words) if words or is_set else None
    remarks = said.remarks if chosen or spans else (*said.words, *said.remarks)
    if comment and remarks:
        answers[comment.name] = "\n".join(remarks)
    return answers


def template(tasks: Iterable[Asked], form: Form) -> str:
    """The texts as doccano imports them; it keeps other keys as they are."""
    rows = (
        {**task.texts, "text": task.texts[main_field(form)], "label": [], "curate_id": task.id}
        for task in tasks
    )
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
