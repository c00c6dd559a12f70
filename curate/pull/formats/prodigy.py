"""Prodigy: JSON lines of `db-out`, by its documentation of annotation interfaces.

`spans` answer the first span question; `accept` (and `label`, accepted) the first question of
choices, by the ids of options or their words. `answer: ignore` is a skip; `reject` is a rejection.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curate.errors import DataError
from curate.pull.formats.made import Asked, Columns, Made, json_rows
from curate.pull.formats.values import answer, main_field, of_form, of_kinds, texts_of
from curate.records import Form, Question, Status

STATUSES: dict[str, Status] = {"accept": "submitted", "ignore": "skipped", "reject": "rejected"}


def read(path: Path, form: Form, columns: Columns) -> Iterator[Made]:
    """Yield the answers of a file."""
    for where, stored in json_rows(path):
        row = columns.applied(stored)
        who = row.get("annotator") or row.get("_annotator_id") or row.get("_session_id")
        yield Made(
            where=where,
            annotator=str(who or path.stem),
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
    return str(own) if own else None


def _time(stamp: Any, where: str) -> str | None:
    """Seconds since 1970 as a time. Raises DataError for what are none."""
    try:
        return datetime.fromtimestamp(float(stamp), UTC).isoformat() if stamp else None
    except (TypeError, ValueError, OverflowError, OSError):
        raise DataError(f"{where}: _timestamp is no number of seconds: {stamp!r}") from None


def _answers(form: Form, row: Mapping[str, Any]) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    spans, chosen = of_kinds(form, "entities"), of_kinds(form, "choice", "choices", "rating")
    comment = of_kinds(form, "comment")
    if spans and ("spans" in row or not chosen or "tokens" in row):
        answers[spans.name] = answer(spans, row.get("spans") or [])
    if chosen and ("accept" in row or "label" in row):
        said = _chosen(chosen, row)
        answers[chosen.name] = answer(chosen, said) if said else None
        if not said and chosen.kind == "choices":
            answers[chosen.name] = []
    if comment and row.get("user_input"):
        answers[comment.name] = str(row["user_input"])
    return answers or {(chosen or spans or form.questions[0]).name: None}


def _chosen(question: Question, row: Mapping[str, Any]) -> list[Any]:
    """What was accepted: options by their words, where their ids are no labels of the form."""
    options = [option for option in row.get("options") or () if isinstance(option, dict)]
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
