"""What each side says of its documents: rows of one kind for workspaces and exports, to be joined.

There is a row for each phase of a document that could be drawn, and for each phase of one that
could not, with the reason. An export without its workspace has rows of what was drawn alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.diff.sides import Side
from curate.storage import read_parquet
from curate.tables import by_phase
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    import pyarrow as pa

DRAWABLE, DROPPED, HELD_OUT, EMPTY = range(4)
"""What a document is on a side: a candidate, or why it is none."""


def schema() -> pa.Schema:
    """The columns of a row. `side` is 0 or 1; `phase` is empty without phases.

    `edits` is a digest of the edits, 0 without any, null where they are not known. `size` is in
    tokens as the budget counts, `tokens` as the pool does, both of one copy after the edits.
    """
    import pyarrow as pa

    numbers = ("copies", "tokens", "size", "earlier")
    return pa.schema(
        [
            ("id", pa.string()),
            ("phase", pa.string()),
            ("side", pa.int8()),
            ("state", pa.int8()),
            ("reason", pa.string()),
            ("group", pa.string()),
            *((name, pa.int64()) for name in numbers),
            ("weight", pa.float64()),
            ("edits", pa.uint64()),
        ]
    )


@dataclass(frozen=True)
class OfShard:
    """The rows of a shard of a workspace's documents."""

    side: int
    shard: DocumentShard
    own: tuple[str, ...]
    phases: tuple[str, ...]

    def read(self) -> pa.Table:
        """The rows, in pool order, phase by phase."""
        import pyarrow as pa
        import pyarrow.compute as pc

        copies, groups = by_phase("copies", self.own), by_phase("group", self.own)
        of_mix = dict.fromkeys(["copies", "group", *copies, *groups, "weight", "earlier", "size"])
        names = ["id", "kept", "reason", "holdout", "tokens", "edits", *of_mix]
        table = self.shard.read(names, dropped=True)
        is_kept, is_held_out = table["kept"], table["holdout"]
        state: Any = pc.if_else(
            table["copies"].is_valid(),
            DRAWABLE,
            pc.if_else(pc.invert(is_kept), DROPPED, pc.if_else(is_held_out, HELD_OUT, EMPTY)),
        )
        table = table.append_column("state", state)
        table = table.set_column(
            table.column_names.index("edits"), "edits", _digests(table["edits"])
        )
        table = table.append_column("side", pa.repeat(self.side, table.num_rows))
        return _by_phase(table, self.own, self.phases)


@dataclass(frozen=True)
class OfDraw:
    """The rows of a row group of an export's draw: one for each document that was drawn."""

    side: int
    path: Path
    row_group: int
    own: tuple[str, ...]
    phases: tuple[str, ...]

    def read(self) -> pa.Table:
        """The rows, in the order of the draw, phase by phase."""
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        copies, groups = by_phase("copies", self.own), by_phase("group", self.own)
        of_mix = dict.fromkeys(["copies", "group", *copies, *groups, "weight", "earlier", "size"])
        with pq.ParquetFile(self.path) as file:
            # An older draw has a row for each candidate, and no copies by number.
            own = [name for name in ("copy",) if name in file.schema_arrow.names]
            table = file.read_row_group(self.row_group, ["id", "tokens", *of_mix, *own])
        first = pc.equal(table["copy"], 1) if own else pc.greater(table["copies"], 0)
        table = table.filter(first)
        size = table.num_rows
        table = table.append_column("side", pa.repeat(self.side, size))
        table = table.append_column("state", pa.repeat(DRAWABLE, size))
        table = table.append_column("reason", pa.nulls(size, pa.string()))
        table = table.append_column("edits", pa.nulls(size, pa.uint64()))
        return _by_phase(table, self.own, self.phases)


Part = OfShard | OfDraw


def parts_of(side: Side, number: int, phases: Sequence[str]) -> list[Part]:
    """The parts that the rows of a side are read in; `phases` are those that are compared."""
    import pyarrow.parquet as pq

    own = side.phases
    if side.workspace is not None:
        shards = side.workspace.documents.shards(mix=True)
        return [OfShard(number, shard, own, tuple(phases)) for shard in shards]
    assert side.export is not None
    path = side.export / "draw.parquet"
    groups = range(pq.read_metadata(path).num_row_groups)
    return [OfDraw(number, path, group, own, tuple(phases)) for group in groups]


def rows_of(side: Side) -> int:
    """About the number of documents that a side has rows of."""
    import pyarrow.parquet as pq

    if side.workspace is not None:
        return side.workspace.tables.rows("pool")
    assert side.export is not None
    return int(pq.read_metadata(side.export / "draw.parquet").num_rows)


def load(part: Part) -> pa.Table:
    """The rows of a part: what a shuffle reads."""
    return part.read()


def _by_phase(table: pa.Table, own: Sequence[str], phases: Sequence[str]) -> pa.Table:
    """The rows of each phase that is compared; without these, of all phases together."""
    import pyarrow as pa

    if not phases:
        return _named(table, "", "copies", "group")
    names = zip(phases, by_phase("copies", own), by_phase("group", own), strict=True)
    return pa.concat_tables([_named(table, *name) for name in names])


def _named(table: pa.Table, phase: str, copies: str, group: str) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    columns: dict[str, Any] = {name: table[name] for name in table.column_names}
    columns["copies"] = pc.fill_null(table[copies], 0)
    columns["group"] = table[group]
    columns["phase"] = pa.repeat(phase, table.num_rows)
    own = schema()
    return pa.table([columns[name] for name in own.names], names=own.names).cast(own)


def _digests(edits: pa.ChunkedArray) -> pa.Array:
    """A digest of each document's edits; 0 for none."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    digests = np.zeros(len(edits), np.uint64)
    has_edits = pc.fill_null(pc.greater(pc.list_value_length(edits), 0), False)
    places = pc.indices_nonzero(has_edits).to_numpy()
    for place, own in zip(places, edits.take(pa.array(places)).to_pylist(), strict=True):
        digests[place] = _digest(own)
    return pa.array(digests)


def _digest(edits: Sequence[Mapping[str, Any]]) -> int:
    words = repr([(edit["start"], edit["end"], edit["replacement"]) for edit in edits])
    return int.from_bytes(blake2b(words.encode(), digest_size=8).digest(), "big") or 1


def read_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a bucket that was compared."""
    yield from read_parquet(path).to_pylist()
