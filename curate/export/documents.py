"""The documents of an export: text, labels and quality of those that were drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.export.labels import VIEWED, Predicted, field_texts, label_texts, predictions
from curate.export.quoting import quoted
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard, with_edits

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

BATCH = 1_000
"""Rows of which the texts are read at once."""

Document = dict[str, Any]
"""A document as it is read back from an export."""


def content_line(document: Mapping[str, Any]) -> bytes:
    """The bytes that a document adds to the manifest's `content_sha256`: a line of JSON."""
    return quoted([document["id"], document["copy"], document["text"]]).encode() + b"\n"


def line_schema() -> pa.Schema:
    """The columns of a Parquet shard. Labels and fields are JSON, since their keys differ."""
    import pyarrow as pa

    words = ((name, pa.string()) for name in ("id", "text", "source", "group", "license"))
    more = (("labels", pa.string()), ("fields", pa.string()), ("edited", pa.bool_()))
    return pa.schema([*words, ("copy", pa.int32()), ("quality", pa.float64()), *more])


@dataclass(frozen=True)
class Reader:
    """Reads the drawn documents of a shard. `settled` is the table `labels`, if there is one."""

    predicted: tuple[Predicted, ...]
    settled: Path | None

    @staticmethod
    def of(workspace: Workspace) -> Reader:
        """The reader of a workspace's documents."""
        has_labels = workspace.tables.stored("labels") is not None
        if has_labels:
            workspace.tables.require("labels")  # of today's types
        settled = workspace.tables.folder("labels") if has_labels else None
        return Reader(predictions(workspace), settled)

    def __call__(self, shard: DocumentShard) -> pa.Table:
        """The columns of an export but `copy`, and `copies` and `tokens`; a row a document."""
        import pyarrow as pa
        import pyarrow.compute as pc

        table = shard.read(self._columns(shard), dropped=True)
        rows = pc.indices_nonzero(pc.fill_null(pc.greater(table["copies"], 0), False))
        drawn = table.take(rows)
        drawn = drawn.append_column("text", _texts(shard.pool, rows.to_numpy()))
        drawn = with_edits(drawn, drawn["edits"])
        is_edited = pc.greater(pc.list_value_length(drawn["edits"]), 0)
        columns = {name: drawn[name] for name in ("text", *_AS_STORED)}
        columns["quality"] = pa.array(_rounded(drawn), pa.float64())
        columns["labels"] = pa.array(label_texts(drawn, self.predicted, self.settled), pa.string())
        columns["fields"] = field_texts(drawn)
        columns["edited"] = pc.if_else(is_edited, True, pa.scalar(None, pa.bool_()))
        return pa.table(columns)

    def _columns(self, shard: DocumentShard) -> Sequence[str]:
        scores = ["quality"] if shard.scores is not None else []
        scores += [name for question in self.predicted for name in question.columns]
        return list(dict.fromkeys([*_AS_STORED, *VIEWED, *scores]))


_AS_STORED = ("id", "source", "group", "license", "tokens", "copies")


def _texts(path: Path, rows: NDArray[np.int64]) -> pa.Array:
    """The canonical texts of some rows of a shard of pool, which are ascending.

    They are read in batches. The other texts, which are often the most, take little memory then.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = [pa.array([], pa.string())]
    start = 0
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH, columns=["text"]):
            first, last = np.searchsorted(rows, (start, start + batch.num_rows))
            parts.append(batch.column(0).take(pa.array(rows[first:last] - start)))
            start += batch.num_rows
    return pa.concat_arrays(parts)


def _rounded(documents: pa.Table) -> list[float | None]:
    """The qualities to six digits; None where a document has none."""
    if "quality" not in documents.column_names:
        return [None] * documents.num_rows
    qualities = documents["quality"].to_pylist()
    return [None if value is None or value != value else round(value, 6) for value in qualities]
