"""Label Studio: its JSON export, and the shorter one (JSON-MIN)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from curate.backends.label_studio.client import RECORD
from curate.backends.label_studio.values import TYPES, read_result, shown_fields
from curate.errors import DataError
from curate.pull.formats.files import files, json_list
from curate.pull.formats.made import Asked, Columns, Made, name_of, number_of
from curate.pull.formats.values import answer, asked_of, listed, of_form, texts_of
from curate.records import MARKS, Form, Question


def read(path: Path, form: Form, columns: Columns) -> Iterator[Made]:
    """Yield every annotation of every task; predictions and drafts are left out.

    Where nothing is marked or chosen there is no item; a question that no annotation of the file
    has was not asked.
    """
    tasks = [
        (file, where, task, _data(task, where))
        for file in files(path, "*.json")
        for where, task in json_list(file)
    ]
    said = [
        (file, where, task, stored, own, _renamed(form, own.get("result") or [], columns))
        for file, where, task, stored in tasks
        for own in _annotations(task, where)
    ]
    seen = {name for *_, result in said for item in listed(result) if (name := _name(item))}
    asked = asked_of(form, seen)
    for file, where, task, stored, annotation, result in said:
        data = columns.applied(stored)
        texts = texts_of(form, data)
        answers = _answers(form, result, texts)
        is_skip = annotation.get("was_cancelled") or annotation.get("skipped")
        by_name = _by_name(annotation.get("result"))
        yield Made(
            where=where,
            annotator=_person(annotation.get("completed_by"), file),
            answers={name: own for name, own in answers.items() if own != [] or name in asked},
            id=_id(data, task),
            texts=texts,
            status="skipped" if is_skip else "submitted",
            at=annotation.get("updated_at") or annotation.get("created_at"),
            seconds=number_of(annotation.get("lead_time")),
            data={**by_name, **stored, "meta": task.get("meta") or data.get("meta")},
        )


def _data(task: Mapping[str, Any], where: str) -> dict[str, Any]:
    stored = task.get("data")
    if not isinstance(stored, dict):
        raise DataError(f"{where}: no data", hint="for JSON-MIN: --from label_studio_min")
    return stored


def _annotations(task: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    found = task.get("annotations") or task.get("completions") or []
    if not isinstance(found, list) or not all(isinstance(own, dict) for own in found):
        raise DataError(f"{where}: annotations are no list of objects")
    return found


def _by_name(result: Any) -> dict[str, Any]:
    """The items of a result by the tags that were answered, for columns that are declared."""
    return {name: item for item in listed(result) if (name := _name(item))}


def _name(item: Any) -> str | None:
    name = item.get("from_name") if isinstance(item, dict) else None
    return str(name) if name else None


def _renamed(form: Form, result: Any, columns: Columns) -> Any:
    """The result with the form's names of its tags: as declared, or the one of its type."""
    if not isinstance(result, list):
        return result
    declared = {column: name for name, column in columns.names.items()}
    names = {name for item in result if (name := declared.get(_name(item) or "", _name(item)))}
    free = [own for own in form.questions if own.name not in names]
    by_type: dict[str, list[str]] = {}
    for own in free:
        by_type.setdefault(TYPES[own.tag], []).append(own.name)
    known = {own.name for own in form.questions}
    return [
        {**item, "from_name": _own_name(item, declared, known, by_type)}
        if isinstance(item, dict) and item.get("from_name")
        else item
        for item in result
    ]


def _own_name(
    item: Mapping[str, Any],
    declared: Mapping[str, str],
    known: Collection[str],
    by_type: Mapping[str, Sequence[str]],
) -> str:
    name = declared.get(str(item["from_name"]), str(item["from_name"]))
    free = by_type.get(str(item.get("type")), ())
    return free[0] if name not in known and len(free) == 1 else name


def _answers(form: Form, result: Any, texts: Mapping[str, str]) -> dict[str, Any]:
    """The answers; a wrong one is read by its words, and else rejected later.

    What answers no question of the form stands under its own name. If it may have been meant for
    one, that one is open, not empty.
    """
    read = {name: value for name, (value, _) in read_result(form, result, texts).items()}
    names = {question.name for question in form.questions}
    items = result if isinstance(result, list) else []
    others = [item for item in items if isinstance(item, dict) and _name(item) not in names]
    types = [item.get("type") for item in others]
    for question in form.questions:
        read[question.name] = _by_words(form, question, read.get(question.name))
        if read[question.name] == [] and TYPES[question.tag] in types:
            read[question.name] = None
    return read


def _by_words(form: Form, question: Question, value: Any) -> Any:
    """Items of an answer that names labels as the page shows them, as the form's labels."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        return value
    if question.kind in MARKS:
        return answer(question, [_mark(form, item) for item in value])
    return answer(question, value[0].get("value")) if len(value) == 1 else value


def _mark(form: Form, item: Mapping[str, Any]) -> dict[str, Any]:
    """A mark, or an item that holds one, with its field where the form shows several."""
    named = (
        {} if len(form.fields) == 1 else {"field": shown_fields(form).get(str(item.get("to_name")))}
    )
    body = item["value"] if isinstance(item.get("value"), dict) else item
    edges = {name: value for name, value in body.items() if name != "text"}  # it is not reliable
    return {**(named if "to_name" in item else {}), **edges}


def read_min(path: Path, form: Form, columns: Columns) -> Iterator[Made]:
    """Yield the answers of JSON-MIN: a row for each annotation, a key for each question.

    A task that nobody annotated is a row too. Where nothing is marked or chosen the key is missing;
    a question that no row has was not asked.
    """
    rows = [
        (file, where, stored, columns.applied(stored))
        for file in files(path, "*.json")
        for where, stored in json_list(file)
    ]
    asked = {own.name for own in form.questions if any(own.name in row for *_, row in rows)}
    empty: dict[str, Any] = {
        own.name: []
        for own in form.questions
        if own.kind in (*MARKS, "choices") and own.name in asked
    }
    for file, where, stored, row in rows:
        if row.get("annotation_id", "") is None:
            continue
        yield Made(
            where=where,
            annotator=_person(row.get("annotator"), file),
            answers={**empty, **of_form(form, row)},
            id=_id(row, row),
            texts=texts_of(form, row),
            at=row.get("updated_at") or row.get("created_at"),
            seconds=number_of(row.get("lead_time")),
            data=stored,
        )


def _person(completed_by: Any, path: Path) -> str:
    if isinstance(completed_by, dict):
        completed_by = completed_by.get("email") or completed_by.get("id")
    return path.stem if completed_by is None else name_of(completed_by)


def _id(data: Mapping[str, Any], task: Mapping[str, Any]) -> str | None:
    """Our id where the task was sent by us or made from our template, else the server's own."""
    own = data.get(RECORD) or data.get("curate_id") or task.get("id")
    if isinstance(own, dict):
        own = own.get("id")
    return None if own is None else name_of(own)


def template(tasks: Iterable[Asked], form: Form) -> str:
    """The texts as Label Studio imports them."""
    rows = [{"data": {**task.texts, "curate_id": task.id}} for task in tasks]
    return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"
