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
from curate.pull.formats.made import Asked, Columns, Made, files, json_rows, read_text
from curate.pull.formats.values import answer, main_field, of_kinds, texts_of
from curate.records import Form, Question

STATE = "user_state.json"


def read(path: Path, form: Form, columns: Columns) -> Iterator[Made]:
    """Yield the answers of a state, of a JSONL export, or of a folder of states."""
    for file in files(path, STATE):
        yield from (_state if file.suffix == ".json" else _lines)(file, form, columns)


def _state(path: Path, form: Form, columns: Columns) -> Iterator[Made]:
    try:
        state = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not JSON ({error})") from None
    if not isinstance(state, dict) or "instance_id_to_label_to_value" not in state:
        raise DataError(f"{path}: no state of a person", hint=f"give a {STATE} of Potato")
    labels = state["instance_id_to_label_to_value"] or {}
    spans = state.get("instance_id_to_span_to_value") or {}
    if not (isinstance(labels, dict) and isinstance(spans, dict)):
        raise DataError(f"{path}: answers are no object with the ids of texts")
    for id in dict.fromkeys((*labels, *spans)):
        row = {"labels": labels.get(id), "spans": spans.get(id), "instance_id": id}
        where = f"{path.parent.name}/{path.name}, {id}"
        yield _made(where, state.get("user_id") or path.parent.name, row, form, columns)


def _lines(path: Path, form: Form, columns: Columns) -> Iterator[Made]:
    for where, row in json_rows(path):
        yield _made(where, row.get("user_id") or path.parent.name, row, form, columns)


def _made(where: str, who: Any, stored: Mapping[str, Any], form: Form, columns: Columns) -> Made:
    """One person's answers to one text, of a state or of an export."""
    labels = _labels(stored.get("labels", stored.get("label_annotations")), where)
    spans = _spans(stored.get("spans", stored.get("span_annotations")), form, where)
    row = columns.applied(stored)
    id = columns.declared(stored).get("id", stored.get("instance_id", stored.get("id")))
    texts = texts_of(form, row) or texts_of(form, {"text": row.get("displayed_text")})
    return Made(
        where=where,
        annotator=str(row.get("annotator") or who),
        answers={
            own.name: _answer(own, columns.names.get(own.name), labels, spans, form)
            for own in form.questions
        },
        id=None if id is None else str(id),
        texts=texts,
        data={"id": id, **labels, **spans, **stored},
    )


def _labels(stored: Any, where: str) -> dict[str, Any]:
    """Scheme → label → value, of pairs `[{schema, name}, value]` or of such an object."""
    if isinstance(stored, Mapping):
        return dict(stored)
    by_scheme: dict[str, Any] = defaultdict(dict)
    for label, value in _pairs(stored, where):
        by_scheme[str(label.get("schema"))][str(label.get("name"))] = value
    return dict(by_scheme)


def _spans(stored: Any, form: Form, where: str) -> dict[str, list[Any]]:
    """Scheme → spans, of pairs `[span, value]`, of spans alone, or of such an object."""
    if isinstance(stored, Mapping):
        lists = stored.items()
        return {name: [*own.values()] if isinstance(own, Mapping) else own for name, own in lists}
    marked, first = defaultdict(list), of_kinds(form, "entities")
    for span, _ in _pairs(stored, where):
        scheme = span.get("schema") or (first.name if first else "")
        marked[str(scheme)].append(span)
    return dict(marked)


def _pairs(stored: Any, where: str) -> Iterator[tuple[Mapping[str, Any], Any]]:
    """Yield an object and its value; an object alone is one that holds. Raises DataError."""
    if not isinstance(stored or [], list):
        raise DataError(f"{where}: labels and spans are lists or objects, not {stored!r}")
    for entry in stored or ():
        pair = entry if isinstance(entry, list) and len(entry) == 2 else [entry, True]
        if not isinstance(pair[0], Mapping):
            raise DataError(f"{where}: neither a label nor a span: {entry!r}")
        yield pair[0], pair[1]


def _answer(
    question: Question,
    declared: str | None,
    labels: Mapping[str, Any],
    spans: Mapping[str, list[Any]],
    form: Form,
) -> Any:
    """The answer to a question, by the scheme that is declared for it or has its name.

    Nothing is an empty answer, unless there are schemes that the form does not know.
    """
    scheme = declared or question.name
    known = {own.name for own in form.questions}
    if question.kind == "entities":
        others = [name for name in spans if name not in known]
        is_only = len(others) == 1 and [own.kind for own in form.questions].count("entities") == 1
        chosen = others[0] if scheme not in spans and is_only else scheme
        return answer(question, spans.get(chosen, None if others else []))
    said = labels.get(scheme)
    if isinstance(said, Mapping) and isinstance(said.get("labels"), Mapping):
        said = said["labels"]
    if said is None:
        return [] if question.kind == "choices" and labels and known.issuperset(labels) else None
    if not isinstance(said, Mapping):
        return answer(question, said)
    named = [name for name, value in said.items() if value not in (None, "", False, "false")]
    if question.kind == "comment":
        return answer(question, next(iter(said.values()), None))
    if question.kind == "rating":
        value = next(iter(said.values()), None)
        return answer(question, value if str(value).isdigit() else next(iter(named), None))
    return answer(question, named)


def template(tasks: Iterable[Asked], form: Form) -> str:
    """The texts as Potato reads them: `id` and `text` of each."""
    field = main_field(form)
    rows = ({**task.texts, "id": task.id, "text": task.texts[field]} for task in tasks)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
