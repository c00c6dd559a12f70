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
    """Return what a document adds to the manifest's `content_sha256`."""
    content = [document["id"], document["copy"], document["text"]]
    return json.dumps(content, ensure_ascii=False).encode() + b"\n"


def read_labels(workspace: Workspace, ids: set[str]) -> dict[str, dict[str, Any]]:
    """Return id → question → {value, posterior, by}: people's labels, else a model's."""
    found: dict[str, dict[str, Any]] = {}
    scores = workspace.stored("scores")
    if scores:
        facts = scores.made.facts
        question, values = facts["question"], facts["values"]
        column, read = tables.predicted(question), float if facts.get("kind") == "rating" else str
        columns = [f"{question}:{value}" for value in values]
        table = workspace.read("scores", ["id", column, *columns])
        for row in table.to_pylist():
            if row["id"] in ids:
                posterior = dict(zip(values, (round(row[c], 6) for c in columns), strict=True))
                label = {"value": read(row[column]), "posterior": posterior, "by": "model"}
                found[row["id"]] = {question: label}
    if workspace.stored("labels"):
        for row in workspace.read("labels").to_pylist():
            if row["id"] in ids:
                label = {
                    "value": json.loads(row["value"]),
                    "posterior": json.loads(row["posterior"]),
                    "by": "people",
                }
                found.setdefault(row["id"], {})[row["question"]] = label
    return found


def read_documents(
    workspace: Workspace,
    part: list[tuple[str, int]],
    draw: pd.DataFrame,
    labels: Mapping[str, dict[str, Any]],
) -> Iterator[Document]:
    """Yield the documents of one shard, in its order."""
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = pa.array(sorted({id for id, _ in part}), pa.string())
    columns = ("id", "text", "source", "license", "fields", "edits")
    found = {}
    for table in workspace.documents(columns):
        for row in table.filter(pc.is_in(table["id"], wanted)).to_pylist():
            found[row["id"]] = row
    edited = [id for id, row in found.items() if row["edits"] or row["fields"]]
    shown = workspace.find_views(edited) if edited else {}
    groups, quality = draw["group"].to_dict(), draw["quality"].to_dict()
    for id, copy in part:
        row = found[id]
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
            document["fields"] = dict(shown[id].fields)
        if row["edits"]:
            document["edited"] = True
            document["labels"] = _placed(document["labels"], shown[id])
        yield document


def _placed(labels: Mapping[str, Any], view: View) -> dict[str, Any]:
    """Return labels with their spans where the edited text has them.

    A span of which an edit took a part has no place there: it is left out, and `unplaced` says how
    many are.
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
