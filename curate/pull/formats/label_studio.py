"""Label Studio: its JSON export, and the shorter one (JSON-MIN)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from curate.backends.label_studio.client import RECORD
from curate.backends.label_studio.values import read_result
from curate.errors import DataError
from curate.pull.formats.made import Asked, Columns, Made, json_list
from curate.pull.formats.values import answer, of_form, texts_of
from curate.records import MARKS, Form


def read(path: Path, form: Form, columns: Columns) -> Iterator[Made]:
    """Yield every annotation of every task; predictions are left out."""
    for where, task in json_list(path):
        data = task.get("data")
        if not isinstance(data, dict):
            raise DataError(f"{where}: no data", hint="for JSON-MIN: --from label_studio_min")
        for annotation in task.get("annotations") or task.get("completions") or ():
            yield Made(
                where=where,
                annotator=_person(annotation.get("completed_by"), path),
                answers=_answers(form, annotation.get("result") or [], texts_of(form, data)),
                id=_id(data, task),
                texts=texts_of(form, data),
                status="skipped" if annotation.get("was_cancelled") else "submitted",
                at=annotation.get("updated_at") or annotation.get("created_at"),
                seconds=annotation.get("lead_time"),
                data={**data, "meta": task.get("meta") or data.get("meta")},
            )


def _answers(form: Form, result: Any, texts: Mapping[str, str]) -> dict[str, Any]:
    """The answers; a wrong one is read by its words, and else rejected later."""
    own = {name: value for name, (value, _) in read_result(form, result, texts).items()}
    return {
        question.name: _by_words(question, own.get(question.name)) for question in form.questions
    }


def _by_words(question: Any, value: Any) -> Any:
    """Items of an answer that names labels as the page shows them, as the form's labels."""
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        return value
    bodies = [one.get("value", one) for one in value]
    if question.kind in MARKS:
        return answer(question, bodies)
    kinds = ("choices", "rating", "text", "selected")
    said = [body[kind] for body in bodies for kind in kinds if kind in body]
    return answer(question, said[0]) if len(said) == 1 else value


def read_min(path: Path, form: Form, columns: Columns) -> Iterator[Made]:
    """Yield the answers of JSON-MIN: a row for each annotation, a key for each question."""
    for where, row in json_list(path):
        answers = of_form(form, row)
        empty: dict[str, Any] = {
            own.name: [] for own in form.questions if own.kind in (*MARKS, "choices")
        }
        yield Made(
            where=where,
            annotator=_person(row.get("annotator"), path),
            answers={**empty, **answers},
            id=_id(row, row),
            texts=texts_of(form, row),
            at=row.get("updated_at") or row.get("created_at"),
            seconds=row.get("lead_time"),
            data=row,
        )


def _person(completed_by: Any, path: Path) -> str:
    if isinstance(completed_by, dict):
        completed_by = completed_by.get("email") or completed_by.get("id")
    return path.stem if completed_by is None else str(completed_by)


def _id(data: Mapping[str, Any], task: Mapping[str, Any]) -> str | None:
    """Our id where the task was sent by us or made from our template, else the server's own."""
    own = data.get(RECORD) or data.get("curate_id") or task.get("id")
    if isinstance(own, dict):
        own = own.get("id")
    return None if own is None else str(own)


def template(tasks: Iterable[Asked], form: Form) -> str:
    """The texts as Label Studio imports them."""
    rows = [{"data": {**task.texts, "curate_id": task.id}} for task in tasks]
    return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"
