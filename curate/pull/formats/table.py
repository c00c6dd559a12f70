"""CSV and TSV: a column for each question, or `question` and `value`; and MTurk's results.

Columns are those that the user declares, else they are found by their names. Our own table of
labels comes back with what each person said, which stands in its column `answers`.
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
from curate.pull.formats.made import Asked, Columns, Made, csv_rows, number_of
from curate.pull.formats.values import answer, of_form, of_kinds, texts_of
from curate.records import Form, Status

FOUND = {
    "id": ("id", "curate_id", "document", "document_id", "task_id", "instance_id"),
    "annotator": ("annotator", "annotator_id", "user", "user_id", "worker", "worker_id", "coder"),
    "at": ("at", "time", "timestamp", "created_at"),
    "seconds": ("seconds", "duration"),
    "status": ("status",),
    "text": ("text", "sentence", "content", "document_text"),
}
"""The names by which columns are found, ours first."""


def read(path: Path, form: Form, columns: Columns) -> Iterator[Made]:
    """Yield the answers of each row."""
    for where, stored in csv_rows(path):
        row = columns.applied(stored)
        cells = {name: _first(row, names) for name, names in FOUND.items()}
        if (said := _said_of_labels(row)) is not None:
            yield from _of_labels(where, row, said, form)
            continue
        yield Made(
            where=where,
            annotator=cells["annotator"] or path.stem,
            answers=_answers(form, row),
            id=cells["id"],
            texts=_texts(form, row, cells["text"]),
            status=_status(cells["status"]),
            at=_time(cells["at"]),
            seconds=_seconds(cells["seconds"], where),
            data=stored,
        )


def _first(row: Mapping[str, str], names: Iterable[str]) -> str | None:
    return next((row[name] for name in names if name in row), None)


def _answers(form: Form, row: Mapping[str, str]) -> dict[str, Any]:
    if "question" in row and "value" in row:
        own = next((own for own in form.questions if own.name == row["question"]), None)
        return {row["question"]: answer(own, row["value"]) if own else row["value"]}
    return of_form(form, row)


def _texts(form: Form, row: Mapping[str, str], text: str | None) -> dict[str, str]:
    """The fields of the form by their names, or the one column of texts."""
    named = texts_of(form, row)
    return named or ({form.fields[0]: text} if text and len(form.fields) == 1 else {})


def _said_of_labels(row: Mapping[str, str]) -> list[dict[str, Any]] | None:
    """What each person said, if it is a row of our own table of labels; else None."""
    said = (
        _objects(row["answers"]) if {"id", "question", "votes", "answers"} <= row.keys() else None
    )
    return (
        said if said is None or all({"annotator", "value"} <= own.keys() for own in said) else None
    )


def _objects(cell: str) -> list[dict[str, Any]] | None:
    """A list of objects that is written as JSON; None for what is none."""
    try:
        found = json.loads(cell)
    except (ValueError, RecursionError):
        return None
    is_list = isinstance(found, list) and all(isinstance(own, dict) for own in found)
    return found if is_list else None


def _of_labels(
    where: str, row: Mapping[str, str], said: Sequence[Mapping[str, Any]], form: Form
) -> Iterator[Made]:
    """Yield what each person said, of a row of our own table of labels; comments too."""
    own = next((own for own in form.questions if own.name == row["question"]), None)
    comment = of_kinds(form, "comment")
    answers: dict[str, dict[str, Any]] = defaultdict(dict)
    for entry in said:
        value = answer(own, entry["value"]) if own else entry["value"]
        whole = value if value is not None else entry["value"]
        answers[entry["annotator"]][row["question"]] = whole
    if comment is not None:
        for remark in _objects(row.get("comments", "")) or ():
            answers[str(remark.get("annotator"))][comment.name] = remark.get("value")
    for annotator, values in answers.items():
        texts = texts_of(form, row)
        yield Made(where, annotator, values, id=row["id"], texts=texts, data=row)


def _time(cell: str | None) -> str | None:
    """A time; one that is a number counts seconds since 1970, or milliseconds."""
    number = number_of(cell)
    if number is None or not STAMPS[0] <= number < STAMPS[2]:
        return cell
    seconds = number / 1000 if number >= STAMPS[1] else number
    return datetime.fromtimestamp(seconds, UTC).isoformat()


STAMPS = (1e8, 1e11, 1e14)
"""Seconds of the years 1973 to 5138 lie below the second number, milliseconds above it."""


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
    for where, row in csv_rows(path):
        inputs = _under(row, "Input.")
        said = _said(row, where)
        whole = {**row, **inputs, **said}
        declared = columns.declared(whole)
        answers = {
            own.name: answer(own, _one(declared.get(own.name, said.get(own.name))))
            for own in form.questions
            if own.name in (declared if own.name in columns.names else said)
        }
        shown = columns.applied({**whole, **inputs})
        status = REVIEWED.get(row.get("AssignmentStatus", ""), "submitted")
        yield Made(
            where=where,
            annotator=str(declared.get("annotator") or row.get("WorkerId") or path.stem),
            answers=answers,
            id=declared.get("id") or inputs.get("id") or inputs.get("curate_id"),
            texts=_texts(form, shown, inputs.get("text")),
            status=status,
            reason=row.get("RequesterFeedback") if status == "rejected" else None,
            at=_turk_time(row.get("SubmitTime")),
            seconds=_seconds(row.get("WorkTimeInSeconds"), where),
            data=whole,
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
            if not isinstance(part, dict):
                raise DataError(f"{where}: Answer.taskAnswers holds no objects")
            said |= part
    for name, cell in list(said.items()):
        question, _, label = name.rpartition(".")
        if question and label == "label":
            said.setdefault(question, cell)
        elif question and str(cell).casefold() == "true":
            said.setdefault(question, []).append(label)
    return said


def _one(value: Any) -> Any:
    """A value of Crowd elements: a class, several classes, spans, or the value itself."""
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
