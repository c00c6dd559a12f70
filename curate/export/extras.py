"""The columns of a line beside the usual ones: messages, their media, `meta`, the source's row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.export.conversations import Keys, messages_type
from curate.export.formats.lines import ORIGINAL
from curate.export.media.fields import kinds_of
from curate.export.media.spoken import LISTS, list_column
from curate.export.messages import (
    check_conversations,
    keys_of_messages,
    message_column,
)
from curate.export.meta import check_names, meta_column, meta_type
from curate.export.originals import Originals
from curate.export.spec import ExportSpec
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

MORE = ("messages", *LISTS.values(), "meta", ORIGINAL)
"""The names of the columns."""

BATCH = 1_000
"""Rows of which the columns are read at once."""


@dataclass(frozen=True)
class Extras:
    """Makes the columns that were asked for; `originals` are the rows of the sources.

    `messages` are the keys that messages have, if these were asked for. `marks` are the kinds of
    media that marks stand for in them, None without `export.marks`.
    """

    meta: tuple[str, ...] = ()
    messages: Keys = ()
    marks: tuple[str, ...] | None = None
    originals: Originals | None = None

    @staticmethod
    def of(workspace: Workspace, spec: ExportSpec, originals: Originals | None = None) -> Extras:
        """Those that the settings ask for. Raises a CurateError for what no document has."""
        if spec.messages:
            check_conversations(workspace)
        check_names(workspace, spec.meta)
        keys = keys_of_messages(workspace, marks=spec.marks) if spec.messages else ()
        has_marks = spec.messages and spec.marks
        marks = kinds_of(workspace.tables.shards("pool")) if has_marks else None
        return Extras(spec.meta, keys, marks, originals)

    @property
    def fields(self) -> list[tuple[str, pa.DataType]]:
        """The names and types of the columns."""
        import pyarrow as pa

        messages = [("messages", messages_type(self.messages))] if self.messages else []
        lists = [(LISTS[kind], pa.list_(pa.string())) for kind in self.marks or ()]
        meta = [("meta", meta_type(self.meta))] if self.meta else []
        original = [(ORIGINAL, pa.string())] if self.originals is not None else []
        return [*messages, *lists, *meta, *original]

    @property
    def stored(self) -> list[str]:
        """The columns of the pool that are read."""
        messages = ["turns", "details"] if self.messages else []
        meta = ["meta"] if self.meta else []
        origin = ["origin"] if self.originals is not None else []
        return [*messages, *meta, *origin]

    def __call__(
        self, shard: DocumentShard, rows: NDArray[np.int64], documents: pa.Table
    ) -> dict[str, Any]:
        """The columns of some documents of a shard; `rows` are theirs there, ascending.

        `documents` has id, text (before the edits), edits and media. DataError for a document with
        an edit that has no place.
        """
        if not self.stored:
            return {}
        own = read_rows(shard.pool, self.stored, rows)
        for name in self.stored:
            documents = documents.append_column(name, own[name])
        columns: dict[str, Any] = {}
        if self.messages:
            has_marks = self.marks is not None
            columns["messages"] = message_column(documents, self.messages, marks=has_marks)
            columns |= {LISTS[kind]: list_column(documents, kind) for kind in self.marks or ()}
        if self.meta:
            columns["meta"] = meta_column(documents, self.meta)
        if self.originals is not None:
            columns[ORIGINAL] = self.originals.read(shard, documents, rows)
        return columns


def read_rows(path: Path, names: Sequence[str], rows: NDArray[np.int64]) -> pa.Table:
    """Columns of some rows of a Parquet file; the rows are ascending.

    They are read in batches. The other rows, which are often the most, take little memory then.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = []
    start = 0
    with pq.ParquetFile(path) as file:
        schema = pa.schema([file.schema_arrow.field(name) for name in names])
        for batch in file.iter_batches(BATCH, columns=list(names)):
            first, last = np.searchsorted(rows, (start, start + batch.num_rows))
            parts.append(batch.take(pa.array(rows[first:last] - start)).select(list(names)))
            start += batch.num_rows
    return pa.Table.from_batches(parts, schema.remove_metadata())
