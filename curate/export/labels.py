"""The labels of documents: what a model predicts, and what people settled or left undecided."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage, tables
from curate.areas import EDGES, area_of_key
from curate.export.asked import Asked, labels_type
from curate.records import span_of_key
from curate.rounds.views import View, widened
from curate.workspace.documents import stored_edits, view_of

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

Label = dict[str, Any]
"""The label of one question; `Asked.type` names its keys."""

VIEWED = ["fields", "template", "media", "edits"]
"""The columns of documents that a view is made of: where its fields are, and where it was edited.

The one field `text` is left out, since that text is exported as it is.
"""


def columns_of(question: Asked) -> tuple[str, ...]:
    """The columns of `scores` that hold a model's value and probabilities."""
    if not question.predicted:
        return ()
    shares = (f"{question.name}:{value}" for value in question.predicted)
    return (tables.predicted(question.name), *shares)


def label_column(documents: pa.Table, asked: Sequence[Asked], settled: Path | None) -> pa.Array:
    """The labels of all documents, a struct of questions.

    `documents` has the columns of `scores` and what a view is made of. `settled` is the table
    `labels`: what people say replaces the model's label, also where they are undecided.
    """
    import pyarrow as pa

    by_people = _settled(settled, documents)
    columns = []
    for question in asked:
        labels = {
            row: _label(question, label, documents.slice(row, 1))
            for row, label in by_people.get(question.name, {}).items()
        }
        columns.append(_replaced(_by_model(question, documents), labels))
    if not columns:
        return pa.nulls(documents.num_rows)
    return pa.StructArray.from_arrays(columns, fields=list(labels_type(asked)))


def _by_model(question: Asked, documents: pa.Table) -> pa.Array:
    """The labels that a model predicts; null for all if it does not answer the question."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = documents.num_rows
    if not question.predicted:
        return pa.nulls(rows, question.type())
    value, *shares = (documents[name].combine_chunks() for name in columns_of(question))
    rounded = [pc.round(share, 6) for share in shares]
    of_people = [pa.repeat(0.0, rows)] * (len(question.values) - len(question.predicted))
    posterior = pa.StructArray.from_arrays(
        [*rounded, *of_people], fields=list(question.posterior_type())
    )
    columns = [value.cast(question.value_type()), posterior]
    columns += [pa.repeat("model", rows), pa.repeat(False, rows)]
    columns.append(pa.nulls(rows, question.type().field("window").type))
    return pa.StructArray.from_arrays(columns, fields=list(question.type()))


def _replaced(column: pa.Array, values: Mapping[int, Any]) -> pa.Array:
    """A column with other values in some rows."""
    import numpy as np
    import pyarrow as pa

    if not values:
        return column
    rows = np.arange(len(column))
    rows[list(values)] = len(column) + np.arange(len(values))
    new = pa.array(list(values.values()), column.type)
    return pa.concat_arrays([column, new]).take(pa.array(rows))


def _settled(path: Path | None, documents: pa.Table) -> dict[str, dict[int, dict[str, Any]]]:
    """The rows of `labels` by question, then by the row of their document."""
    import pyarrow.compute as pc

    if path is None:
        return {}
    table = storage.read_parquet(path, ["id", "question", *_OF_PEOPLE])
    rows = pc.index_in(table["id"], value_set=documents["id"].combine_chunks())
    table = table.append_column("row", rows).filter(pc.is_valid(rows))
    labels: dict[str, dict[int, dict[str, Any]]] = {}
    for label in table.to_pylist():
        labels.setdefault(label["question"], {})[label["row"]] = label
    return labels


_OF_PEOPLE = ("value", "posterior", "undecided", "start", "end")


def _label(question: Asked, settled: Mapping[str, Any], document: pa.Table) -> Label:
    """A label of people, from its row of `labels`; an undecided one has no value."""
    undecided = bool(settled["undecided"])
    value = None if undecided else json.loads(settled["value"])
    shares = dict(settled["posterior"] or ())
    edited = document.filter(document["edits"].is_valid()).select(VIEWED).to_pylist()
    view = view_of_document(edited[0]) if edited else View({})
    about: Label = {"by": "people", "undecided": undecided, "window": _window(settled, view)}
    if question.kind in EDGES:
        areas = [area_of_key(question.kind, key) | {"share": own} for key, own in shares.items()]
        return {"value": value, "posterior": areas, **about}
    if question.kind != "entities":
        posterior = {name: shares.get(name, 0.0) for name in question.values} if shares else None
        return {"value": value, "posterior": posterior, **about}
    spans = _placed([span_of_key(key) | {"share": share} for key, share in shares.items()], view)
    placed = _placed(value, view)
    lost = len(value or ()) - len(placed or ())
    return {"value": placed, "posterior": spans, **about, "unplaced": lost}


def _window(settled: Mapping[str, Any], view: View) -> dict[str, Any] | None:
    """The part of the exported text that people saw; None for the whole.

    It is widened where it would cut an edit that was made since.
    """
    if settled["start"] is None:
        return None
    start, end = widened(settled["start"], settled["end"], view.edits)
    return view.shown_span({"start": start, "end": end})


def _placed(spans: list[dict[str, Any]] | None, view: View) -> list[dict[str, Any]] | None:
    """The spans where the edited text has them; one that an edit cuts has no place there."""
    if spans is None:
        return None
    return [moved for span in spans if (moved := view.shown_span(span))]


def view_of_document(document: Mapping[str, Any]) -> View:
    """The view of a document without its text, from its columns VIEWED."""
    edits = stored_edits(document["edits"])
    return view_of(document, edits) if document["fields"] else View({}, edits=edits)


def field_column(documents: pa.Table, type: pa.DataType) -> pa.Array:
    """The fields of all documents after the edits; null for the one field `text`."""
    import pyarrow.compute as pc

    columns = documents.select(VIEWED)
    is_edited = pc.fill_null(pc.greater(pc.list_value_length(columns["edits"]), 0), False)
    rows = pc.indices_nonzero(pc.and_(is_edited, columns["fields"].is_valid()))
    stored = columns.take(rows).to_pylist() if len(rows) else []
    fields = [
        [{"name": name, "text": text} for name, text in view_of_document(row).fields.items()]
        for row in stored
    ]
    column = columns["fields"].combine_chunks().cast(type)
    return _replaced(column, dict(zip(rows.to_pylist(), fields, strict=True)))


BY = ("people", "undecided", "model")
"""Who gave a label: people settled it, people left it undecided, or a model predicts it."""

LabelCounts = Counter[tuple[str, str]]
"""How many lines have a label, by question and by BY."""


def count_labels(documents: pa.Table, times: NDArray[np.int64]) -> LabelCounts:
    """Count the labels of documents; those of a document count so many times."""
    import pyarrow as pa
    import pyarrow.compute as pc

    labels = documents["labels"].combine_chunks()
    counts = LabelCounts()
    for field in () if pa.types.is_null(labels.type) else labels.type:
        label = pc.struct_field(labels, field.name)
        by, undecided = (pc.struct_field(label, name) for name in ("by", "undecided"))
        who = pc.if_else(undecided, "undecided", by)
        for name in BY:
            is_theirs = pc.fill_null(pc.equal(who, name), False)
            counts[field.name, name] = int(times @ is_theirs.cast("int64").to_numpy())
    return counts
