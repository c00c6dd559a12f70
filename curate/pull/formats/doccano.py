"""doccano: JSONL of an export, a file for each person (or a folder of them).

`label` holds spans `[start, end, label]` or the names of classes, `entities` spans with offsets.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from curate.pull.formats.made import Asked, Columns, Made, files, json_lines
from curate.pull.formats.values import answer, of_kinds, texts_of
from curate.records import Form


def read(path: Path, form: Form, columns: Columns) -> Iterator[Made]:
    """Yield the answers of a file or folder; a file is named after its person."""
    for file in files(path, "*.jsonl"):
        for where, row in json_lines(file):
            yield Made(
                where=where,
                annotator=str(row.get("annotator") or row.get("username") or file.stem),
                answers=_answers(form, row),
                id=str(row["curate_id"]) if row.get("curate_id") else None,
                texts=texts_of(form, row),
                data={**row, **(row["meta"] if isinstance(row.get("meta"), dict) else {})},
            )


def _answers(form: Form, row: dict[str, Any]) -> dict[str, Any]:
    spans, chosen = of_kinds(form, "entities"), of_kinds(form, "choice", "choices", "rating")
    comment = of_kinds(form, "comment")
    said = row.get("entities", row.get("label", row.get("labels", row.get("cats")))) or []
    marked = [one for one in said if not isinstance(one, str | int | float)]
    classes = [str(one) for one in said if isinstance(one, str | int | float)]
    answers: dict[str, Any] = {}
    if spans and (marked or not chosen):
        answers[spans.name] = answer(spans, marked)
    if chosen:
        is_set = chosen.kind == "choices"
        answers[chosen.name] = answer(chosen, classes) if classes or is_set else None
    if comment and row.get("Comments"):
        answers[comment.name] = "\n".join(map(str, row["Comments"]))
    return answers


def template(tasks: Iterable[Asked], form: Form) -> str:
    """The texts as doccano imports them; it keeps other keys as they are."""
    rows = (
        {"text": task.texts[form.fields[0]], "label": [], "curate_id": task.id} for task in tasks
    )
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
