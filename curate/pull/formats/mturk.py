"""MTurk: the results of a batch as CSV, with `Input.…`, `Answer.…` and WorkerId.

Answers stand in columns, in columns of parts (`Answer.mood.label`, `Answer.flags.spam`,
`Answer.names.entities`), or as the JSON of Crowd elements (`Answer.taskAnswers`).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from curate.errors import DataError
from curate.pull.formats.files import csv_rows, files
from curate.pull.formats.made import Asked, Columns, Made
from curate.pull.formats.table import seconds_of, texts_in
from curate.pull.formats.values import answer, parsed
from curate.records import Form, Status

ZONES = {"PST": -8, "PDT": -7, "UTC": 0, "GMT": 0}
"""The zones in which MTurk writes times, in hours."""

PARTS = ("label", "labels", "entities")
"""What an element calls its whole answer: a class, several classes, spans."""


def read(path: Path, form: Form, columns: Columns) -> Iterator[Made]:
    """Yield the answers of a file, or of the files of a folder."""
    for file in files(path, "*.csv"):
        for where, row in csv_rows(file):
            yield _made(where, row, file, form, columns)


def _made(where: str, row: dict[str, str], file: Path, form: Form, columns: Columns) -> Made:
    inputs = _under(row, "Input.")
    said = _said(row, where)
    whole = {**row, **inputs, **said}
    declared = columns.declared(whole)
    answers = {
        own.name: answer(own, _one(declared.get(own.name, said.get(own.name))))
        for own in form.questions
        if own.name in (declared if own.name in columns.names else said)
    }
    status, reason = _review(row)
    return Made(
        where=where,
        annotator=str(declared.get("annotator") or row.get("WorkerId") or file.stem),
        answers=answers,
        id=declared.get("id") or inputs.get("id") or inputs.get("curate_id"),
        texts=texts_in(form, columns.applied({**whole, **inputs}), inputs.get("text")),
        status=status,
        reason=reason,
        at=_time(row.get("SubmitTime")),
        seconds=seconds_of(row.get("WorkTimeInSeconds"), where),
        data=whole,
    )


def _review(row: Mapping[str, str]) -> tuple[Status, str | None]:
    """Whether the requester has rejected the work, or says so in the column `Reject`; and why."""
    if row.get("Reject") or row.get("AssignmentStatus", "").casefold() == "rejected":
        return "rejected", row.get("RequesterFeedback") or row.get("Reject")
    return "submitted", None


def _under(row: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {
        name.removeprefix(prefix): cell for name, cell in row.items() if name.startswith(prefix)
    }


def _said(row: Mapping[str, str], where: str) -> dict[str, Any]:
    """The answers by name: of columns, of columns of parts, or of Crowd elements' JSON."""
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
    by_part: dict[str, dict[str, Any]] = {}
    for name, cell in said.items():
        question, _, part = name.partition(".")
        if part and question not in said:
            by_part.setdefault(question, {})[part] = cell
    return said | {question: _of_parts(parts) for question, parts in by_part.items()}


def _of_parts(parts: Mapping[str, Any]) -> Any:
    """The answer of an element whose parts have columns of their own."""
    if own := next((name for name in PARTS if name in parts), None):
        return parsed(parts[own])
    is_on = {name: str(cell).casefold() for name, cell in parts.items()}
    if any(cell in ("true", "false") for cell in is_on.values()):
        return [name for name, cell in is_on.items() if cell == "true"]
    return None


def _one(value: Any) -> Any:
    """A value of Crowd elements: a class, several classes, spans, or the value itself."""
    if not isinstance(value, dict):
        return value
    for key in PARTS:
        if key in value:
            return value[key]
    return [label for label, is_on in value.items() if is_on is True]


def _time(cell: str | None) -> str | None:
    """A time as MTurk writes it (`Tue Nov 03 09:12:01 PST 2026`); or none."""
    parts = (cell or "").split()
    if len(parts) != 6:
        return None
    try:
        time = datetime.strptime(" ".join((*parts[1:4], parts[5])), "%b %d %H:%M:%S %Y")
    except ValueError:
        return None
    zone = timezone(timedelta(hours=ZONES.get(parts[4], 0)))
    return time.replace(tzinfo=zone).isoformat()


def template(tasks: Iterable[Asked], form: Form) -> str:
    """The input of a batch: the id and the texts of each task."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["id", *form.fields])
    for task in tasks:
        writer.writerow([task.id, *(task.texts.get(name, "") for name in form.fields)])
    return file.getvalue()
