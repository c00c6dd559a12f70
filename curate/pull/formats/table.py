"""CSV and TSV: a column for each question, or `question` and `value`; and MTurk's results.

Columns are those that the user declares, else they are found by their names. Our own table of
labels comes back with what each person said, which stands in its column `answers`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from curate.cells import guarded
from curate.errors import DataError
from curate.names import unknown
from curate.pull.formats.made import Asked, Columns, Made, csv_rows
from curate.pull.formats.values import answer, texts_of
from curate.records import Form, Status

FOUND = {
    "id": ("id", "curate_id", "document", "document_id", "task_id"),
    "annotator": ("annotator", "annotator_id", "user", "user_id", "worker", "worker_id", "coder"),
    "at": ("at", "time", "timestamp", "created_at"),
    "seconds": ("seconds", "duration"),
    "status": ("status",),
    "text": ("text", "sentence", "content", "document_text"),
}
"""The names by which columns are found, ours first."""


def read(path: Path, form: Form, columns: Columns) -> Iterator[Made]:
    """Yield the answers of each row. Raises DataError for a file without any question."""
    for where, row in _checked(path, columns):
        cells = {name: row.get(columns.of(name, own, row) or "") for name, own in FOUND.items()}
        if "answers" in row and "question" in row:
            yield from _of_labels(where, row, form)
            continue
        yield Made(
            where=where,
            annotator=cells["annotator"] or path.stem,
            answers=_answers(form, row, columns),
            id=cells["id"],
            texts=_texts(form, row, columns, cells["text"]),
            status=_status(cells["status"]),
            at=cells["at"],
            seconds=_seconds(cells["seconds"], where),
            data=row,
        )


def _checked(path: Path, columns: Columns) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the rows; raises DataError for a declared column that no row has."""
    rows = list(csv_rows(path))
    known = list(dict.fromkeys(name for _, row in rows for name in row))
    for column in columns.names.values():
        if column not in known:
            raise unknown(f"{path.name} has no column {column}", column, known)
    yield from rows


def _answers(form: Form, row: Mapping[str, str], columns: Columns) -> dict[str, Any]:
    if "question" in row and "value" in row:
        own = next((own for own in form.questions if own.name == row["question"]), None)
        return {row["question"]: answer(own, row["value"]) if own else row["value"]}
    named = {own: columns.of(own.name, (own.name,), row) for own in form.questions}
    answers = {own.name: answer(own, row.get(column)) for own, column in named.items() if column}
    return answers or {form.questions[0].name: None}


def _texts(
    form: Form, row: Mapping[str, str], columns: Columns, text: str | None
) -> dict[str, str]:
    """The fields of the form by declared columns, by their names, or the one column of texts."""
    declared = {
        name: row.get(columns.names[name], "") for name in form.fields if name in columns.names
    }
    named = declared or texts_of(form, row)
    return named or ({form.fields[0]: text} if text and len(form.fields) == 1 else {})


def _of_labels(where: str, row: Mapping[str, str], form: Form) -> Iterator[Made]:
    """Yield what each person said, of a row of our own table of labels."""
    own = next((own for own in form.questions if own.name == row["question"]), None)
    for said in json.loads(row["answers"]):
        value = answer(own, said["value"]) if own else said["value"]
        yield Made(
            where=where,
            annotator=said["annotator"],
            answers={row["question"]: value if value is not None else said["value"]},
            id=row["id"],
            texts=texts_of(form, row),
            data=row,
        )


def _status(cell: str | None) -> Status:
    known: dict[str, Status] = {
        "skipped": "skipped",
        "withdrawn": "withdrawn",
        "rejected": "rejected",
        "draft": "draft",
    }
    return known.get((cell or "").casefold(), "submitted")


def _seconds(cell: str | None, where: str) -> float | None:
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


# ── MTurk

REVIEWED: dict[str, Status] = {"Rejected": "rejected"}


def read_mturk(path: Path, form: Form, columns: Columns) -> Iterator[Made]:
    """Yield the answers of MTurk's results: `Input.…`, `Answer.…`, WorkerId."""
    for where, row in _checked(path, columns):
        inputs = _under(row, "Input.")
        said = _said(row, where)
        named = {own: columns.names.get(own.name) for own in form.questions}
        answers = {
            own.name: answer(own, row.get(column) if column else _one(said, own.name))
            for own, column in named.items()
            if column or own.name in said
        }
        status = REVIEWED.get(row.get("AssignmentStatus", ""), "submitted")
        yield Made(
            where=where,
            annotator=row.get("WorkerId") or path.stem,
            answers=answers or {form.questions[0].name: None},
            id=inputs.get("id") or inputs.get("curate_id"),
            texts=_texts(form, {**row, **inputs}, columns, inputs.get("text")),
            status=status,
            reason=row.get("RequesterFeedback") if status == "rejected" else None,
            at=_turk_time(row.get("SubmitTime")),
            seconds=_seconds(row.get("WorkTimeInSeconds"), where),
            data={**row, **inputs},
        )


def _under(row: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {
        name.removeprefix(prefix): cell for name, cell in row.items() if name.startswith(prefix)
    }


def _said(row: Mapping[str, str], where: str) -> dict[str, Any]:
    """The answers by name: of columns, of `question.label`, or of Crowd elements' JSON."""
    said: dict[str, Any] = _under(row, "Answer.")
    if "taskAnswers" in said:
        try:
            parts = json.loads(said.pop("taskAnswers"))
        except (ValueError, RecursionError) as error:
            raise DataError(f"{where}: Answer.taskAnswers is not JSON ({error})") from None
        for part in parts if isinstance(parts, list) else [parts]:
            said |= part
    for name, cell in list(said.items()):
        question, _, label = name.rpartition(".")
        if question and label == "label":
            said.setdefault(question, cell)
        elif question and str(cell).casefold() == "true":
            said.setdefault(question, []).append(label)
    return said


def _one(said: Mapping[str, Any], name: str) -> Any:
    """A value of Crowd elements: a class, several classes, spans, or the value itself."""
    value = said[name]
    if not isinstance(value, dict):
        return value
    for key in ("label", "labels", "entities"):
        if key in value:
            return value[key]
    return [label for label, is_on in value.items() if is_on is True]


def _turk_time(cell: str | None) -> str | None:
    """A time as MTurk writes it (`Tue Nov 03 09:12:01 PST 2026`), without its zone; or none."""
    parts = (cell or "").split()
    if len(parts) != 6:
        return None
    try:
        time = datetime.strptime(" ".join((*parts[1:4], parts[5])), "%b %d %H:%M:%S %Y")
    except ValueError:
        return None
    return time.isoformat()


def template_mturk(tasks: Iterable[Asked], form: Form) -> str:
    """The input of a batch: the id and the texts of each task."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["id", *form.fields])
    for task in tasks:
        writer.writerow([task.id, *(task.texts.get(name, "") for name in form.fields)])
    return file.getvalue()
