"""The documents of an export: text, labels and quality of those that were drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import tables
from curate.export.asked import Asked, asked_questions, labels_type
from curate.export.draws import of_draw, of_pool_and_mix
from curate.export.extras import MORE, Extras, read_rows
from curate.export.labels import VIEWED, columns_of, field_column, label_column
from curate.export.media.addresses import check_texts, is_cleaned, plain_lines
from curate.export.media.columns import exported_type, stored_media
from curate.export.parts import Entries, Layout
from curate.export.quoting import quoted
from curate.media.medium import in_id
from curate.text import TEXT
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard, with_edits

if TYPE_CHECKING:
    import pyarrow as pa

Document = dict[str, Any]
"""A document as it is read back from an export."""


def content_line(document: Mapping[str, Any]) -> bytes:
    """The bytes that a document adds to the manifest's `content_sha256`: a line of JSON."""
    return quoted([document["id"], document["copy"], document["text"]]).encode() + b"\n"


def content_fields(document: Mapping[str, Any]) -> dict[str, str]:
    """The fields from which the id of an unedited document was made.

    For a medium that is `in_id`, instead of its address.
    """
    if document["fields"] is None:
        return {TEXT: document["text"]}
    texts = {field["name"]: field["text"] for field in document["fields"]}
    media = document["media"] or ()
    own = {name: in_id(m, texts[name]) for m in media if (name := m["field"]) in texts}
    return texts | own


def is_whole(document: Mapping[str, Any]) -> bool:
    """Whether a line has all that the id of its document was made from.

    An edit changes its text; from a medium within an address a place may be left out.
    """
    return not document["edited"] and not any(map(is_cleaned, document["media"] or ()))


def line_schema(asked: Sequence[Asked], layout: Layout) -> pa.Schema:
    """The columns of a line, the same in all shards and formats; `asked` have labels.

    Only an export with phases has a column `phase`, only one by group a column `copies`.
    """
    import pyarrow as pa

    fields = tables.schema("pool", "fields").field("fields").type
    own = ("phase",) if layout.phases else ()
    words = ((name, pa.string()) for name in ("id", "text", "source", "group", *own))
    spent = [("copies", pa.int64())] if layout.by_group else []
    about = [("copy", pa.int64()), *spent, ("license", pa.string()), ("quality", pa.float64())]
    more = [("labels", labels_type(asked)), ("fields", fields)]
    return pa.schema([*words, *about, *more, ("media", exported_type()), ("edited", pa.bool_())])


def line_names() -> tuple[str, ...]:
    """The names of all columns that a line can have."""
    layout = Layout(phases=("",), by_group=True)
    return (*line_schema((), layout).names, *MORE)


@dataclass(frozen=True)
class Reader:
    """Reads the documents of a shard that have lines.

    `asked` are the questions of their labels, and `settled` is the table `labels`, if there is one.
    `extras` makes the columns beside the usual ones.
    """

    asked: tuple[Asked, ...]
    settled: Path | None
    layout: Layout
    extras: Extras

    @staticmethod
    def of(
        workspace: Workspace, layout: Layout, extras: Extras, *, has_labels: bool = True
    ) -> Reader:
        """The reader of a workspace's documents."""
        if not has_labels:
            return Reader((), None, layout, extras)
        is_settled = workspace.tables.stored("labels") is not None
        if is_settled:
            workspace.tables.require("labels")  # of today's types
        settled = workspace.tables.folder("labels") if is_settled else None
        return Reader(asked_questions(workspace), settled, layout, extras)

    @property
    def schema(self) -> pa.Schema:
        """The columns of a line."""
        import pyarrow as pa

        return pa.schema([*line_schema(self.asked, self.layout), *self.extras.fields])

    def __call__(self, shard: DocumentShard) -> tuple[pa.Table, Entries]:
        """The columns of a line and of the draw as far as they are a document's, and the entries.

        There is a row for each document; the rows of the entries are those.
        """
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        table = shard.read(self._columns(shard), dropped=True)
        entries = self.layout.entries(table)
        rows = np.unique(entries.row)
        drawn = table.take(pa.array(rows))
        drawn = drawn.append_column("text", read_rows(shard.pool, ["text"], rows)["text"])
        extras = self.extras(shard, rows, drawn)
        drawn = with_edits(drawn, drawn["edits"])
        columns = {name: drawn[name] for name in ("text", "license", *of_pool_and_mix(self.layout))}
        columns |= {of_draw(name): columns[name] for name in ("copies",)}
        columns[of_draw("quality")] = _quality(drawn)
        columns["quality"] = pc.round(columns[of_draw("quality")], 6)
        columns["labels"] = label_column(drawn, self.asked, self.settled)
        columns["fields"] = field_column(drawn, self.schema.field("fields").type)
        columns["media"] = stored_media(drawn["media"])
        columns["edited"] = pc.fill_null(pc.greater(pc.list_value_length(drawn["edits"]), 0), False)
        lines = plain_lines(pa.table(columns | extras))
        check_texts(lines)
        return lines, replace(entries, row=np.searchsorted(rows, entries.row))

    def _columns(self, shard: DocumentShard) -> Sequence[str]:
        scores = ["quality"] if shard.scores is not None else []
        scores += [name for question in self.asked for name in columns_of(question)]
        stored = ("license", *of_pool_and_mix(self.layout), *self.layout.columns)
        return list(dict.fromkeys([*stored, *VIEWED, *scores]))


def _quality(documents: pa.Table) -> pa.Array | pa.ChunkedArray:
    """The qualities; null where a document has none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if "quality" not in documents.column_names:
        return pa.nulls(documents.num_rows, pa.float64())
    quality = documents["quality"]
    return pc.if_else(pc.is_nan(quality), None, quality)
