"""Tables: CSV, TSV, JSON lines or Parquet, with a column for each question or `question`, `value`.

Columns are those that the user declares, else they are found by their names, whatever the capitals.
A question may have a column for each person (`mood_ann`, `mood_bo`). Our own table of labels comes
back with what each person said, which stands in its column `answers`.
"""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curate.cells import guarded
from curate.errors import DataError
from curate.pull.formats.files import files, table_rows
from curate.pull.formats.made import Asked, Columns, Made, name_of, number_of
from curate.pull.formats.values import answer, of_form, of_kinds, texts_of
from curate.records import Form, Question, Status, moment

FOUND = {
    "id": ("id", "curate_id", "document", "document_id", "task_id", "instance_id"),
    "annotator": (
        *("annotator", "annotator_id", "user", "user_id", "worker", "worker_id", "coder"),
        *("标注者", "标注员", "标注人"),
    ),
    "at": ("at", "time", "timestamp", "updated_at", "created_at"),
    "seconds": ("seconds", "duration", "lead_time"),
    "status": ("status",),
    "text": ("text", "sentence", "content", "document_text", "文本", "句子"),
}
"""The names by which columns are found, ours first."""

OF_LABELS = {"id", "question", "votes", "answers"}
"""Columns of our own table of labels."""

PATTERNS = ("*.csv", "*.tsv", "*.jsonl", "*.parquet")


def read(path: Path, form: Form, columns: Columns) -> Iterator[Made]:
    """Yield the answers of each row."""
    for file in files(path, *PATTERNS):
        rows = [(where, row, _named(row, form, columns)) for where, row in table_rows(file)]
        people = _people(form, columns, [row for *_, row in rows])
        for where, stored, row in rows:
            if (said := _said_of_labels(row)) is not None:
                is_coded = file.suffix == ".parquet"
                yield from _of_labels(where, row, said, form, is_coded=is_coded)
            else:
                yield from _of_row(where, stored, row, file, form, columns, people)


def _named(row: Mapping[str, Any], form: Form, columns: Columns) -> dict[str, Any]:
    """The row with declared columns and known ones under their names, whatever the capitals."""
    own = columns.applied(row)
    known = (*(name for names in FOUND.values() for name in names), *form.fields)
    names = {name.casefold(): name for name in (*known, *(own.name for own in form.questions))}
    others = {
        names[folded]: value
        for column, value in own.items()
        if (folded := column.strip().casefold()) in names
    }
    return others | own


People = Mapping[str, Mapping[str, str]]
"""Question → person → the column that holds what the person said."""


def _people(form: Form, columns: Columns, rows: Sequence[Mapping[str, Any]]) -> People:
    """The questions that have a column for each person, declared or found by their names."""
    names = dict.fromkeys(name for row in rows for name in row)
    found: dict[str, dict[str, str]] = {}
    for question in form.questions:
        declared = columns.of_people.get(question.name)
        own = declared or [name for name in names if _person_of(question, name)]
        is_known = question.name in names or question.name in columns.names
        if declared or (len(own) > 1 and not is_known and _hold_labels(question, own, rows)):
            found[question.name] = {_person_of(question, name) or name: name for name in own}
    return found


def _person_of(question: Question, column: str) -> str:
    """The person whom a column names beside the question: `mood_ann` or `ann.mood`; or nothing."""
    for mark in APART:
        before, after = f"{question.name}{mark}", f"{mark}{question.name}"
        if column.startswith(before) or column.endswith(after):
            return column.removeprefix(before).removesuffix(after)
    return ""


APART = ("_", ".", ":", "-", " ", "@")
"""What may stand between a question and a person."""


def _hold_labels(
    question: Question, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> bool:
    """Whether all that stands in some columns are labels of the question."""
    said = [answer(question, row[name]) for row in rows for name in columns if name in row]
    labels = [own for value in said for own in (value if isinstance(value, list) else [value])]
    return bool(question.labels and labels) and all(str(own) in question.labels for own in labels)


def _of_row(
    where: str,
    stored: Mapping[str, Any],
    row: Mapping[str, Any],
    file: Path,
    form: Form,
    declared: Columns,
    people: People,
) -> Iterator[Made]:
    """Yield what a row says: of one person, and of those who have columns of their own."""
    cells = {name: _first(row, names) for name, names in FOUND.items()}
    said: dict[str, dict[str, Any]] = defaultdict(dict)
    alone = _answers(form, row)
    if alone or not people:
        said[cells["annotator"] or file.stem] = alone
    for question, columns in people.items():
        for person, column in columns.items():
            said[person][question] = answer(form.question(question), row.get(column))
    for person, answers in said.items():
        yield Made(
            where=where,
            annotator=person,
            answers=answers,
            id=cells["id"],
            texts=texts_in(form, row, cells["text"]),
            status=_status(cells["status"]),
            at=_time(cells["at"], is_declared="at" in declared.names),
            seconds=_seconds(cells["seconds"], where, is_declared="seconds" in declared.names),
            data=stored,
        )


def _first(row: Mapping[str, Any], names: Iterable[str]) -> str | None:
    return next((name_of(row[name]) for name in names if name in row), None)


def _answers(form: Form, row: Mapping[str, Any]) -> dict[str, Any]:
    if "question" in row and "value" in row:
        own = next((own for own in form.questions if own.name == row["question"]), None)
        return {str(row["question"]): answer(own, row["value"]) if own else row["value"]}
    return of_form(form, row)


def texts_in(form: Form, row: Mapping[str, Any], text: str | None) -> dict[str, str]:
    """The fields of the form by their names, or the one column of texts."""
    named = texts_of(form, row)
    return named or ({form.fields[0]: text} if text and len(form.fields) == 1 else {})


# ── our own table of labels


def is_of_labels(row: Mapping[str, Any]) -> bool:
    """Whether it is a row of our own table of labels."""
    return _said_of_labels(row) is not None


def _said_of_labels(row: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """What each person said, if it is a row of our own table of labels; else None."""
    said = _objects(row["answers"]) if row.keys() >= OF_LABELS else None
    is_ours = said is not None and all({"annotator", "value"} <= own.keys() for own in said)
    return said if is_ours else None


def _objects(cell: Any) -> list[dict[str, Any]] | None:
    """A list of objects, perhaps written as JSON; None for what is none."""
    found = _decoded(cell)
    is_list = isinstance(found, list) and all(isinstance(own, dict) for own in found)
    return found if is_list else None


def _of_labels(
    where: str,
    row: Mapping[str, Any],
    said: Sequence[Mapping[str, Any]],
    form: Form,
    *,
    is_coded: bool,
) -> Iterator[Made]:
    """Yield what each person said, of a row of our own table of labels; comments too.

    `is_coded`: values are JSON, as in Parquet, where a column has one type.
    """
    own = next((own for own in form.questions if own.name == row["question"]), None)
    answers: dict[str, dict[str, Any]] = defaultdict(dict)
    for entry in said:
        stored = _decoded(entry["value"]) if is_coded else entry["value"]
        value = answer(own, stored) if own else stored
        answers[str(entry["annotator"])][str(row["question"])] = stored if value is None else value
    first = of_kinds(form, "comment")
    for remark in _objects(row.get("comments", "")) or ():
        name = remark.get("question") or (first.name if first else "")
        if name in (other.name for other in form.questions):
            answers[str(remark.get("annotator"))][name] = remark.get("value")
    for annotator, values in answers.items():
        yield Made(where, annotator, values, id=str(row["id"]), texts=texts_of(form, row), data=row)


def _decoded(value: Any) -> Any:
    """A value that is written as JSON; what is none stays as it is."""
    try:
        return json.loads(value)
    except (ValueError, TypeError, RecursionError):
        return value


# ── cells


def _time(cell: str | None, *, is_declared: bool) -> str | None:
    """A time; one that is a number counts seconds since 1970, or milliseconds.

    What is no time is told where its column is declared, and is none where it was found.
    """
    number = number_of(cell)
    if number is not None and STAMPS[0] <= number < STAMPS[2]:
        seconds = number / 1000 if number >= STAMPS[1] else number
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    try:
        moment(cell)
    except ValueError:
        return cell if is_declared else None
    return cell


STAMPS = (1e8, 1e11, 1e14)
"""Seconds of the years 1973 to 5138 lie below the second number, milliseconds above it."""


def _seconds(cell: str | None, where: str, *, is_declared: bool) -> float | None:
    return seconds_of(cell, where) if is_declared else number_of(cell)


def _status(cell: str | None) -> Status:
    known: dict[str, Status] = {
        "skipped": "skipped",
        "withdrawn": "withdrawn",
        "rejected": "rejected",
        "draft": "draft",
    }
    return known.get((cell or "").casefold(), "submitted")


def seconds_of(cell: str | None, where: str) -> float | None:
    """A number of seconds. Raises DataError for what is none."""
    try:
        return float(cell) if cell else None
    except ValueError:
        raise DataError(f"{where}: seconds are a number, not {cell!r}") from None


def template(tasks: Iterable[Asked], form: Form) -> str:
    """An empty table: the id and the texts of each task, and a column for each question."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["id", *form.fields, "annotator", *(own.name for own in form.questions)])
    for task in tasks:
        texts = [guarded(task.texts.get(name, "")) for name in form.fields]
        writer.writerow([task.id, *texts, "", *("" for _ in form.questions)])
    return file.getvalue()
