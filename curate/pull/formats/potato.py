"""Potato: the state of each person (`user_state.json`), or an export as JSON lines, CSV or TSV.

A folder is read with all people in it. Labels of a scheme stand as `{label: value}`, in a table as
columns `scheme:::label` or `scheme.label`. The offsets of spans are those of the text as its page
shows it, where every run of white space is one space.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate.errors import DataError
from curate.pull.formats.files import Row, csv_rows, files, json_rows, read_text
from curate.pull.formats.made import Asked, Columns, Made, name_of
from curate.pull.formats.values import (
    answer,
    asked_of,
    listed,
    main_field,
    of_kinds,
    parsed,
    texts_of,
)
from curate.records import Form, Question

STATE = "user_state.json"
LABELS = "instance_id_to_label_to_value"
SPANS = "instance_id_to_span_to_value"

SUFFIXES = (".jsonl", ".json", ".tsv", ".csv")
"""The formats of exports, of which one is read where the same export lies in several."""

OWN = ("user", "user_id", "instance_id", "id", "displayed_text", "text")
"""The columns of a table that are no labels."""

SELECTED = "select-one"
"""Stands in the place of the label where it was chosen from a list."""


@dataclass(frozen=True)
class Instance:
    """What one person said of one text: scheme → label → value, and scheme → spans."""

    where: str
    who: str
    row: Mapping[str, Any]
    labels: Mapping[str, Any]
    spans: Mapping[str, list[Any]]


def read(path: Path, form: Form, columns: Columns) -> Iterator[Made]:
    """Yield the answers of a state, of an export, or of a folder of either."""
    rows = [row for file in _files(path) for row in _rows(file)]
    whole = [_instance(where, who, row, form) for where, who, row in rows]
    asked = asked_of(form, _seen(whole, form, columns))
    for own in whole:
        yield _made(own, form, columns, asked)


def _seen(whole: Sequence[Instance], form: Form, columns: Columns) -> set[str]:
    """The schemes of a project, and the questions that they are by declaration or by their kind."""
    seen = {name for own in whole for name in (*own.labels, *own.spans)}
    named = {own.name for own in form.questions if columns.names.get(own.name) in seen}
    marked = [own.name for own in form.questions if own.kind == "entities"]
    by_kind = marked if len(marked) == 1 and any(own.spans for own in whole) else []
    return seen | named | {*by_kind}


def _files(path: Path) -> list[Path]:
    """The states of a folder, or else its exports: those of people's folders, or that of all."""
    if path.is_file():
        return [path]
    patterns = [
        f"{name}{suffix}" for name in ("annotated_instances", "annotations") for suffix in SUFFIXES
    ]
    found = files(path, STATE, *patterns)
    if states := [own for own in found if own.name == STATE]:
        return states
    found = [own for own in found if own.parent != path] or found
    first = min((own.suffix for own in found), key=SUFFIXES.index)
    return [own for own in found if own.suffix == first]


def _rows(path: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the place, the person and the row of each text."""
    folder = path.parent.name
    if path.suffix in (".csv", ".tsv"):
        rows: Iterable[Row] = ((where, _of_table(row)) for where, row in csv_rows(path))
    elif path.suffix == ".json" and (state := _state(path)) is not None:
        who = str(state.get("user_id") or folder)
        yield from ((where, who, row) for where, row in _of_state(path, state))
        return
    else:
        rows = json_rows(path)
    for where, row in rows:
        yield where, str(row.get("user_id") or row.get("user") or folder), row


def _state(path: Path) -> dict[str, Any] | None:
    """The state of a person; None for lines of JSON, which an export may be too."""
    text = read_text(path)
    try:
        state = json.loads(text)
    except RecursionError as error:
        raise DataError(f"{path}: not JSON ({error})") from None
    except ValueError:
        return None
    if isinstance(state, list) or (
        isinstance(state, dict) and not {"instance_id", "id"}.isdisjoint(state)
    ):
        return None
    if not isinstance(state, dict) or LABELS not in state:
        raise DataError(f"{path}: no state of a person", hint=f"give a {STATE} of Potato")
    return state


def _of_state(path: Path, state: Mapping[str, Any]) -> Iterator[Row]:
    labels, spans = state[LABELS] or {}, state.get(SPANS) or {}
    if not (isinstance(labels, dict) and isinstance(spans, dict)):
        raise DataError(f"{path}: answers are no object with the ids of texts")
    for id in dict.fromkeys((*labels, *spans)):
        row = {"labels": labels.get(id), "spans": spans.get(id), "instance_id": id}
        yield f"{path.parent.name}/{path.name}, {id}", row


def _of_table(cells: Mapping[str, str]) -> dict[str, Any]:
    """A row of a table as one of JSON: `scheme:::label`, `scheme.label`, or a scheme alone."""
    labels: dict[str, Any] = {}
    spans: dict[str, Any] = {}
    older: list[Any] = []
    for column, cell in cells.items():
        scheme, _, label = column.partition(":::" if ":::" in column else ".")
        if scheme == "span_annotation":
            older += listed(parsed(cell))
        elif label == "_spans":
            spans[scheme] = listed(parsed(cell))
        elif label and not label.startswith("_"):
            alone = labels.get(scheme)
            labels[scheme] = {**(alone if isinstance(alone, dict) else {}), label: cell}
        elif column not in OWN and not label:
            labels.setdefault(scheme, cell)
    return {**cells, "labels": labels, "spans": older or spans}


def _instance(where: str, who: str, row: Mapping[str, Any], form: Form) -> Instance:
    labels = _labels(row.get("labels", row.get("label_annotations")), where)
    spans = _spans(row.get("spans", row.get("span_annotations")), form, where)
    return Instance(where, who, row, labels, spans)


def _made(own: Instance, form: Form, columns: Columns, asked: Collection[str]) -> Made:
    """One person's answers to one text."""
    row = columns.applied(own.row)
    id = columns.declared(own.row).get("id", own.row.get("instance_id", own.row.get("id")))
    texts = texts_of(form, row) or texts_of(form, {"text": row.get("displayed_text")})
    return Made(
        where=own.where,
        annotator=str(row.get("annotator") or own.who),
        answers={
            question.name: _answer(question, columns.names.get(question.name), own, form, asked)
            for question in form.questions
        },
        id=None if id is None else name_of(id),
        texts=texts,
        data={"id": id, **own.labels, **own.spans, **own.row},
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
    question: Question, declared: str | None, own: Instance, form: Form, asked: Collection[str]
) -> Any:
    """The answer to a question, by the scheme that is declared for it or has its name.

    Nothing is an empty answer, unless there are schemes that the form does not know, or no text of
    the file has an answer.
    """
    scheme = declared or question.name
    known = {other.name for other in form.questions}
    empty: list[Any] | None = [] if question.name in asked else None
    if question.kind == "entities":
        others = [name for name in own.spans if name not in known]
        is_only = len(others) == 1 and [one.kind for one in form.questions].count("entities") == 1
        chosen = others[0] if scheme not in own.spans and is_only else scheme
        return answer(question, own.spans.get(chosen, None if others else empty))
    said = own.labels.get(scheme)
    if isinstance(said, Mapping) and isinstance(said.get("labels"), Mapping):
        said = said["labels"]
    if said is None:
        is_asked = own.labels and known.issuperset(own.labels)
        return empty if question.kind == "choices" and is_asked else None
    return _of_labels(question, said) if isinstance(said, Mapping) else answer(question, said)


def _of_labels(question: Question, said: Mapping[str, Any]) -> Any:
    """An answer by the labels of a scheme: those that hold, or the value of the only one."""
    named = [name for name, value in said.items() if value not in (None, "", False, "false")]
    only = next(iter(said.values()), None)
    if question.kind == "comment":
        return answer(question, only)
    if question.kind == "rating":
        return answer(question, only if str(only).isdigit() else next(iter(named), None))
    return answer(question, only if [*said] == [SELECTED] else named)


def template(tasks: Iterable[Asked], form: Form) -> str:
    """The texts as Potato reads them: `id` and `text` of each."""
    field = main_field(form)
    rows = ({**task.texts, "id": task.id, "text": task.texts[field]} for task in tasks)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
