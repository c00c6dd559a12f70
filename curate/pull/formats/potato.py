"""Potato: the state of each person (`user_state.json`), or its JSONL export.

A folder is read with all people in it. Labels of a scheme stand as `{label: value}`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from curate.errors import DataError
from curate.pull.formats.made import Asked, Columns, Made, files, json_lines, read_text
from curate.pull.formats.values import answer
from curate.records import Form, Question

STATE = "user_state.json"

Labels = Mapping[str, Mapping[str, Any]]
"""Scheme → label → value."""


def read(path: Path, form: Form, columns: Columns) -> Iterator[Made]:
    """Yield the answers of a state, of a JSONL export, or of a folder of states."""
    for file in files(path, STATE):
        yield from _state(file, form) if file.suffix == ".json" else _lines(file, form)


def _state(path: Path, form: Form) -> Iterator[Made]:
    try:
        state = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not JSON ({error})") from None
    if not isinstance(state, dict) or "instance_id_to_label_to_value" not in state:
        raise DataError(f"{path}: no state of a person", hint=f"give a {STATE} of Potato")
    labels = state["instance_id_to_label_to_value"]
    spans = state.get("instance_id_to_span_to_value") or {}
    for id in dict.fromkeys((*labels, *spans)):
        by_scheme: dict[str, dict[str, Any]] = defaultdict(dict)
        for label, value in labels.get(id, ()):
            by_scheme[label["schema"]][label["name"]] = value
        marked: dict[str, list[Any]] = defaultdict(list)
        for span, _ in spans.get(id, ()):
            marked[span["schema"]].append(span)
        where = f"{path.parent.name}/{path.name}, {id}"
        yield _made(where, state.get("user_id") or path.parent.name, id, by_scheme, marked, form)


def _lines(path: Path, form: Form) -> Iterator[Made]:
    for where, row in json_lines(path):
        id, who = row.get("instance_id", row.get("id")), row.get("user_id") or path.parent.name
        labels = row.get("labels", row.get("label_annotations")) or {}
        spans = row.get("spans", row.get("span_annotations")) or {}
        yield _made(where, who, str(id), labels, spans, form, row)


def _made(
    where: str,
    who: Any,
    id: str,
    labels: Labels,
    spans: Mapping[str, list[Any]],
    form: Form,
    row: Mapping[str, Any] | None = None,
) -> Made:
    answers = {own.name: _answer(own, labels, spans) for own in form.questions}
    return Made(
        where=where, annotator=str(who), answers=answers, id=id, data={"id": id, **(row or {})}
    )


def _answer(question: Question, labels: Labels, spans: Mapping[str, list[Any]]) -> Any:
    if question.kind == "entities":
        return answer(question, spans.get(question.name, []))
    said = labels.get(question.name)
    if said is None:
        return [] if question.kind == "choices" and labels else None
    if not isinstance(said, Mapping):
        return answer(question, said)
    chosen = [name for name, value in said.items() if value not in (None, "", False, "false")]
    if question.kind == "comment":
        return answer(question, next(iter(said.values()), None))
    if question.kind == "rating":
        value = next(iter(said.values()), None)
        return answer(question, value if str(value).isdigit() else next(iter(chosen), None))
    return answer(question, chosen)


def template(tasks: Iterable[Asked], form: Form) -> str:
    """The texts as Potato reads them: `id` and `text` of each."""
    rows = ({"id": task.id, "text": task.texts[form.fields[0]], **task.texts} for task in tasks)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
