"""Prodigy: JSON lines of `db-out`, by its documentation of annotation interfaces.

`spans` answer the first span question; `accept` (and `label`, accepted) the first question of
choices. `answer: ignore` is a skip; `reject` of spans or of a form without choices is a rejection.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curate.pull.formats.made import Asked, Columns, Made, json_lines
from curate.pull.formats.values import answer, of_kinds, texts_of
from curate.records import Form, Status

STATUSES: dict[str, Status] = {"accept": "submitted", "ignore": "skipped", "reject": "rejected"}


def read(path: Path, form: Form, columns: Columns) -> Iterator[Made]:
    """Yield the answers of a file."""
    for where, row in json_lines(path):
        stamp = row.get("_timestamp")
        yield Made(
            where=where,
            annotator=str(row.get("_annotator_id") or row.get("_session_id") or path.stem),
            answers=_answers(form, row),
            id=str(row["id"]) if row.get("id") is not None else None,
            texts=texts_of(form, row),
            status=STATUSES.get(str(row.get("answer", "accept")), "submitted"),
            at=datetime.fromtimestamp(stamp, UTC).isoformat() if stamp else None,
            data=row,
        )


def _answers(form: Form, row: dict[str, Any]) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    spans, chosen = of_kinds(form, "entities"), of_kinds(form, "choice", "choices", "rating")
    comment = of_kinds(form, "comment")
    if spans and ("spans" in row or not chosen):
        answers[spans.name] = answer(spans, row.get("spans") or [])
    if chosen and ("accept" in row or "label" in row):
        said = row.get("accept", row.get("label"))
        answers[chosen.name] = answer(chosen, said) if said else None
        if not said and chosen.kind == "choices":
            answers[chosen.name] = []
    if comment and row.get("user_input"):
        answers[comment.name] = str(row["user_input"])
    return answers or {(chosen or spans or form.questions[0]).name: None}


def template(tasks: Iterable[Asked], form: Form) -> str:
    """The texts as Prodigy loads them."""
    rows = ({"id": task.id, "meta": {"id": task.id}, **_text(task, form)} for task in tasks)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _text(task: Asked, form: Form) -> dict[str, Any]:
    return {"text": task.texts[form.fields[0]], **task.texts}
