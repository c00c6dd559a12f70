"""Find the documents that a draw lists: their rows today, or why they are missing.

Lines and documents are brought together in buckets of ids, then in buckets of shards. Texts are
not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage
from curate.engine import Engine, buckets_for, read_shard
from curate.workspace.documents import CAN, DocumentShard, is_candidate

if TYPE_CHECKING:
    import pyarrow as pa

WIDTH = 200
"""About the bytes of a row that is shuffled."""

MISSING = -1
"""The shard of what is missing."""

NOT_IN_POOL = "not_in_pool"


def of_lines(schema: pa.Schema) -> list[pa.Field]:
    """The columns that a draw says of its lines, and `tokens` as it counted them."""
    return [field for field in schema if field.name not in ("id", "source", "shard", "position")]


@dataclass(frozen=True)
class Listing:
    """The lines of a row group of a draw; `first` is the number of the first among all."""

    path: Path
    row_group: int
    first: int

    def read(self, schema: pa.Schema) -> pa.Table:
        """The lines as rows of the join, in their order."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.parquet as pq

        with pq.ParquetFile(self.path) as file:
            table = file.read_row_group(self.row_group)
        size = table.num_rows
        columns: dict[str, Any] = {name: table[name] for name in table.column_names}
        columns["file"] = table["shard"]
        columns["rank"] = pa.array(self.first + np.arange(size))
        return _rows(columns, schema, size)


@dataclass(frozen=True)
class Standing:
    """The documents of a shard as they are today: which can have lines, and why others cannot."""

    shard: DocumentShard

    def read(self, schema: pa.Schema) -> pa.Table:
        """The documents as rows of the join, in the order of the pool."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        table = self.shard.read(["id", "reason", *CAN], dropped=True)
        size = table.num_rows
        can = is_candidate(*(table[name] for name in CAN))
        dropped = pc.binary_join_element_wise("dropped", table["reason"], ": ")
        why = pc.if_else(table["kept"], pc.if_else(table["holdout"], "holdout", "empty"), dropped)
        columns: dict[str, Any] = {
            "id": table["id"],
            "place": pa.repeat(self.shard.number, size),
            "row": pa.array(np.arange(size)),
            "now": table["tokens"],
            "why": pc.if_else(can, pa.scalar(None, pa.string()), why),
        }
        return _rows(columns, schema, size)


Part = Listing | Standing


def _rows(columns: dict[str, Any], schema: pa.Schema, size: int) -> pa.Table:
    """A table of a schema; columns that are not there are null."""
    import pyarrow as pa

    arrays = [
        columns[field.name] if field.name in columns else pa.nulls(size, field.type)
        for field in schema
    ]
    return pa.table(arrays, names=schema.names).cast(schema)


def row_schema(draw: pa.Schema) -> pa.Schema:
    """The columns of the join, for a draw.

    `rank` is the number of a line and `file` its shard; null for a document of the pool. `place`
    is the number of the document's shard there, `row` its row, `now` its tokens today, and `why`
    the reason why it cannot have lines.
    """
    import pyarrow as pa

    of_documents = [("place", pa.int64()), ("row", pa.int64()), ("now", pa.int64())]
    own = [("id", pa.string()), ("rank", pa.int64()), ("file", pa.string())]
    return pa.schema([*own, *of_documents, ("why", pa.string()), *of_lines(draw)])


@dataclass(frozen=True)
class Load:
    """Reads the rows of a part."""

    schema: pa.Schema

    def __call__(self, part: Part) -> pa.Table:
        """The rows, in the schema of the join."""
        return part.read(self.schema)


@dataclass(frozen=True)
class Join:
    """Gives each line the row of its document. `removed` are ids that were taken down."""

    removed: frozenset[str]

    def __call__(self, bucket: pa.Table) -> pa.Table:
        """The lines of a bucket; `place` is MISSING and `why` the reason where there is none."""
        import pyarrow as pa
        import pyarrow.compute as pc

        names = ["place", "row", "now", "why"]
        lines = bucket.filter(bucket["rank"].is_valid())
        documents = bucket.filter(bucket["rank"].is_null()).select(["id", *names])
        at = pc.index_in(lines["id"], value_set=documents["id"].combine_chunks())
        gone = pc.is_in(lines["id"], value_set=pa.array(sorted(self.removed), pa.string()))
        why: Any = pc.if_else(at.is_null(), NOT_IN_POOL, documents["why"].take(at))
        why = pc.if_else(gone, "removed", why)
        found = {name: documents[name].take(at) for name in names} | {"why": why}
        found["place"] = pc.if_else(why.is_null(), found["place"], MISSING)
        for name in names:
            lines = lines.set_column(lines.column_names.index(name), name, found[name])
        return lines


@dataclass(frozen=True)
class Found:
    """Where the lines of a draw are found, in files by the number of their document's shard."""

    files: tuple[Path, ...]
    buckets: int

    def of(self, place: int) -> pa.Table:
        """The lines of the documents of a shard, by row and copy; MISSING are those without."""
        import pyarrow as pa
        import pyarrow.compute as pc

        from curate.engine.shuffling import bucket_of

        (bucket,) = bucket_of(pa.chunked_array([[place]], pa.int64()), self.buckets).tolist()
        table = storage.read_parquet(self.files[bucket])
        own = table.filter(pc.equal(table["place"], place))
        return own.sort_by([("row", "ascending"), ("copy", "ascending"), ("rank", "ascending")])


def find(
    engine: Engine,
    draw: Path,
    shards: Sequence[DocumentShard],
    removed: frozenset[str],
    folder: Path,
) -> Found:
    """Find the documents of a draw; `folder` gets the scratch files."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(draw) as file:
        sizes = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
        schema = row_schema(file.schema_arrow.remove_metadata())
    firsts = [sum(sizes[:number]) for number in range(len(sizes))]
    parts: list[Part] = [Listing(draw, number, first) for number, first in enumerate(firsts)]
    parts += [Standing(shard) for shard in shards]
    rows = sum(sizes) + sum(pq.read_metadata(shard.clean).num_rows for shard in shards)
    joined = engine.shuffle(
        Join(removed),
        parts,
        folder / "by-id",
        key="id",
        buckets=buckets_for(rows, WIDTH),
        load=Load(schema),
    )
    buckets = max(1, min(len(shards), 256))
    files = engine.shuffle(
        _as_it_is, joined, folder / "by-shard", key="place", buckets=buckets, load=read_shard
    )
    return Found(tuple(files), buckets)


def _as_it_is(bucket: pa.Table) -> pa.Table:
    return bucket
