"""The documents of an export: text, labels and quality, in the order of the draw."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from math import isnan
from typing import TYPE_CHECKING, Any

from curate import tables
from curate.rounds.views import View
from curate.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

Document = dict[str, Any]


def content_line(document: Mapping[str, Any]) -> bytes:
    """The bytes that a document adds to the manifest's `content_sha256`: a line of JSON."""
    content = [document["id"], document["copy"], document["text"]]
    return json.dumps(content, ensure_ascii=False).encode() + b"\n"


def read_labels(workspace: Workspace, ids: set[str]) -> dict[str, dict[str, Any]]:
    """The labels of each id by question: value, posterior, and `by` (people or model).

    A label of people replaces the model's.
    """
    labels: dict[str, dict[str, Any]] = {}
    scores = workspace.tables.stored("scores")
    if scores:
        facts = scores.made.facts
        question, values = facts["question"], facts["values"]
        column = tables.predicted(question)
        convert = float if facts.get("kind") == "rating" else str
        columns = [f"{question}:{value}" for value in values]
        table = workspace.tables.read("scores", ["id", column, *columns])
        for row in table.to_pylist():
            if row["id"] in ids:
                posterior = dict(zip(values, (round(row[key], 6) for key in columns), strict=True))
                label = {"value": convert(row[column]), "posterior": posterior, "by": "model"}
                labels[row["id"]] = {question: label}
    if workspace.tables.stored("labels"):
        for row in workspace.tables.read("labels").to_pylist():
            if row["id"] in ids:
                label = {
                    "value": json.loads(row["value"]),
                    "posterior": json.loads(row["posterior"]),
                    "by": "people",
                }
                labels.setdefault(row["id"], {})[row["question"]] = label
    return labels


def read_documents(
    workspace: Workspace,
    part: list[tuple[str, int]],
    draw: pd.DataFrame,
    labels: Mapping[str, dict[str, Any]],
) -> Iterator[Document]:
    """Yield the documents of one shard, in its order; `part` holds their ids and copy numbers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ids = pa.array(sorted({id for id, _ in part}), pa.string())
    columns = ("id", "text", "source", "license", "fields", "edits")
    rows = {}
    for table in workspace.documents.batches(columns):
        for row in table.filter(pc.is_in(table["id"], ids)).to_pylist():
            rows[row["id"]] = row
    edited = [id for id, row in rows.items() if row["edits"] or row["fields"]]
    views = workspace.documents.find_views(edited) if edited else {}
    groups, quality = draw["group"].to_dict(), draw["quality"].to_dict()
    for id, copy in part:
        row = rows[id]
        document: Document = {
            "id": id,
            "text": row["text"],
            "source": row["source"],
            "group": groups[id],
            "copy": copy,
            "license": row["license"],
            "quality": None if isnan(quality[id]) else round(float(quality[id]), 6),
            "labels": labels.get(id, {}),
        }
        if row["fields"]:
            document["fields"] = dict(views[id].fields)
        if row["edits"]:
            document["edited"] = True
            document["labels"] = _placed(document["labels"], views[id])
        yield document


def _placed(labels: Mapping[str, Any], view: View) -> dict[str, Any]:
    """The labels, with their spans moved to where the edited text has them.

    A span that an edit cuts has no place there. It is left out, and `unplaced` counts such spans.
    """
    placed: dict[str, Any] = {}
    for question, label in labels.items():
        value = label["value"]
        if isinstance(value, list) and value and isinstance(value[0], dict):
            spans = [moved for span in value if (moved := view.shown_span(span))]
            label = {**label, "value": spans}
            if len(spans) < len(value):
                label["unplaced"] = len(value) - len(spans)
        placed[question] = label
    return placed
