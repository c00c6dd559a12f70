"""Set exact copies aside: one document of each id stays, with the other sources that hold it.

    ids of all shards ──by id──▶ changes ──by shard──▶ shards without copies

Only ids and places are shuffled. The document of the earliest batch stays; within a batch, that of
the first source in the recipe's order; within a source, the first row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage, tables, tokens
from curate.engine.shuffling import bucket_of
from curate.media.counting import MediaTokens
from curate.pool.staging import ids_schema, media_tokens, narrow_rows, number_of
from curate.takedown.listed import all_addresses

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

BATCH_ONLY = -1
"""The shard number of rows that only say in which batch an id was first seen."""


def changes_schema() -> pa.Schema:
    """The schema of changes: a row is dropped, or gets another batch or `also`."""
    import pyarrow as pa

    return pa.schema(
        [
            ("shard", pa.int64()),
            ("row", pa.int32()),
            ("kept", pa.bool_()),
            ("batch", pa.int32()),
            ("also", pa.list_(pa.int32())),
        ]
    )


def changes(rows: pa.Table) -> pa.Table:
    """The changes that copies cause, from all rows of some ids; unchanged rows are left out.

    The first row of an id, by batch, source and place, is kept. Pure.
    """
    import numpy as np
    import pyarrow as pa

    high, low = _halves(rows["id"])
    batch, rank, shard, row = (rows[name].to_numpy() for name in ("batch", "rank", "shard", "row"))
    order = np.lexsort((row, shard, rank, batch, shard == BATCH_ONLY, low, high))
    high, low, batch, rank, shard, row = (
        column[order] for column in (high, low, batch, rank, shard, row)
    )
    first = np.ones(len(order), bool)
    first[1:] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
    starts = np.flatnonzero(first)
    if not len(starts):
        return changes_schema().empty_table()
    group = np.cumsum(first) - 1
    oldest = np.minimum.reduceat(batch, starts)
    owners = np.flatnonzero(first & (shard != BATCH_ONLY))
    copies = np.flatnonzero(~first & (shard != BATCH_ONLY))
    before = _pairs(rows["also"].combine_chunks().take(pa.array(order)), group)
    elsewhere = copies[rank[copies] != rank[starts[group[copies]]]]
    now = np.unique(
        np.vstack([before, np.column_stack([group[elsewhere], rank[elsewhere]])]), axis=0
    )
    counts = np.bincount(now[:, 0], minlength=len(starts))
    grew = counts != np.bincount(before[:, 0], minlength=len(starts))
    changed = owners[grew[group[owners]] | (oldest[group[owners]] != batch[owners])]
    lists = _lists(now, counts, group[changed])
    none = pa.nulls(len(copies), lists.type)
    both = np.concatenate([changed, copies])
    return pa.table(
        [
            pa.array(shard[both]),
            pa.array(row[both]),
            pa.array(np.arange(len(both)) < len(changed)),
            pa.array(oldest[group[both]].astype(np.int32)),
            pa.concat_arrays([lists, none]),
        ],
        schema=changes_schema(),
    )


def _halves(ids: pa.ChunkedArray) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """The first and the last 64 bits of ids, as numbers."""
    import numpy as np

    whole = ids.combine_chunks()
    data = np.frombuffer(whole.buffers()[1] or b"", ">u8")
    both = data[2 * whole.offset :][: 2 * len(whole)].astype(np.uint64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _pairs(also: pa.Array, group: NDArray[np.int64]) -> NDArray[np.int64]:
    """The distinct (group, source) pairs of the lists in `also`, sorted; shape (n, 2)."""
    import numpy as np
    import pyarrow.compute as pc

    parents = pc.list_parent_indices(also).to_numpy()
    pairs = np.column_stack([group[parents], pc.list_flatten(also).to_numpy()]).astype(np.int64)
    return np.unique(pairs, axis=0) if len(pairs) else pairs.reshape(0, 2)


def _lists(
    pairs: NDArray[np.int64], counts: NDArray[np.int64], groups: NDArray[np.int64]
) -> pa.Array:
    """The list of sources of each of `groups`; `pairs` are sorted."""
    import numpy as np
    import pyarrow as pa

    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    whole = pa.ListArray.from_arrays(
        pa.array(offsets), pa.array(pairs[:, 1].astype(np.int32), pa.int32())
    )
    return whole.take(pa.array(groups))


def by_shard(rows: pa.Table) -> pa.Table:
    """Sort a bucket of changes by shard and row. Pure."""
    return rows.sort_by([("shard", "ascending"), ("row", "ascending")])


@dataclass(frozen=True)
class Ids:
    """Load the narrow rows of a shard, either a staged one or one of an older pool.

    The rows of an older pool are documents (`real`), or only say the batch of their ids.
    """

    ranks: Mapping[str, int]
    real: bool

    def __call__(self, path: Path) -> pa.Table:
        """Load the narrow rows of one shard."""
        import pyarrow as pa

        if path.parent.name == "ids":
            return storage.read_parquet(path).cast(ids_schema())
        table = storage.read_parquet(path, columns=["id", "source", "also", "batch"])
        if self.real:
            return narrow_rows(table, number_of(path.name), self.ranks)
        ids = pa.array([bytes.fromhex(id) for id in table["id"].to_pylist()], pa.binary(16))
        rows, nothing = table.num_rows, pa.scalar(BATCH_ONLY)
        return pa.table(
            [
                ids,
                table["batch"].combine_chunks(),
                pa.repeat(nothing.cast(pa.int32()), rows),
                pa.repeat(nothing.cast(pa.int64()), rows),
                pa.repeat(nothing.cast(pa.int32()), rows),
                pa.nulls(rows, pa.list_(pa.int32())),
            ],
            schema=ids_schema(),
        )


@dataclass(frozen=True)
class Finish:
    """Write a final shard: without copies, with `batch` and `also` set, with tokens counted.

    `changed` are the files of changes by shard. The rows for `duplicates` go to `dropped`.
    `counts` are the token columns and their tokenizers, `before` those of an older pool. `media`
    says what media count; `media_anew`, that those of an older pool are counted again.
    """

    folder: Path
    dropped: Path
    changed: Sequence[Path]
    names: Sequence[str]
    counts: Mapping[str, str]
    before: Mapping[str, str] = field(default_factory=dict)
    media: MediaTokens | None = None
    media_anew: bool = False

    def __call__(self, path: Path) -> Counts:
        """Write one shard unless it exists; return its counts."""
        import pyarrow as pa
        import pyarrow.compute as pc

        target = self.folder / path.name
        if target.exists():
            return Counts.of(target)
        shard_changes = self._changes(path)
        old = path.parent.name != "_staged"
        recount = old and (self.media_anew or dict(self.counts) != dict(self.before))
        if not shard_changes.num_rows and not recount:
            storage.share(path, target) if old else path.rename(target)
            return Counts.of(target)
        table = storage.read_parquet(path)
        if recount:
            media = media_of(table, self.media) if self.media_anew else None
            table = recounted(table, self.counts, self.before, media)
        copies = shard_changes.filter(pc.invert(shard_changes["kept"]))["row"]
        if len(copies):
            storage.write_parquet(self.dropped / path.name, _copies(table.take(copies)))
        table = self._applied(table, shard_changes.filter(shard_changes["kept"]))
        rows = pa.array(range(table.num_rows), pa.int32())
        table = table.filter(pc.invert(pc.is_in(rows, copies.combine_chunks())))
        if table.num_rows:
            storage.write_parquet(target, table)
            return Counts.of(target)
        return Counts()

    def _changes(self, path: Path) -> pa.Table:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if not self.changed:
            return changes_schema().empty_table()
        number = number_of(path.name)
        (bucket,) = bucket_of(pa.array([number], pa.int64()), len(self.changed))
        return pq.read_table(self.changed[bucket], filters=[("shard", "=", number)])

    def _applied(self, table: pa.Table, updates: pa.Table) -> pa.Table:
        import pyarrow as pa

        if not updates.num_rows:
            return table
        rows = updates["row"].to_pylist()
        also, batch = table["also"].to_pylist(), table["batch"].to_pylist()
        for row, ranks, first in zip(
            rows, updates["also"].to_pylist(), updates["batch"].to_pylist(), strict=True
        ):
            also[row] = sorted(self.names[rank] for rank in ranks or ())
            batch[row] = first
        for name, values in (("also", also), ("batch", batch)):
            at = table.column_names.index(name)
            field_ = table.schema.field(at)
            table = table.set_column(at, field_, pa.array(values, field_.type))
        return table


def _copies(rows: pa.Table) -> pa.Table:
    """The rows of `duplicates` for copies in the pool. Pure."""
    import pyarrow as pa

    stored = rows.select(["meta", "media"]).to_pylist()
    column = pa.array([all_addresses(row) for row in stored], pa.list_(pa.string()))
    return rows.select(["id", "source", "origin"]).append_column("addresses", column)


def media_of(table: pa.Table, counted: MediaTokens | None) -> list[int]:
    """What the media of documents count."""
    return [media_tokens(media, counted) for media in table["media"].to_pylist()]


def recounted(
    table: pa.Table,
    counts: Mapping[str, str],
    before: Mapping[str, str],
    media: Sequence[int] | None = None,
) -> pa.Table:
    """Documents with the token columns of `counts`; those of `before` are not counted again.

    `media` is what their media count now; None if that stays as it is.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    was = pa.array(tables.media_tokens(table), pa.int64())
    own = was if media is None else pa.array(media, pa.int64())
    more = pc.subtract(own, was)
    counted = {tokenizer: pc.add(table[column], more) for column, tokenizer in before.items()}
    texts: list[str] | None = None
    for column, tokenizer in counts.items():
        values = counted.get(tokenizer)
        if values is None:
            count = tokens.counter(tokenizer)
            texts = table["text"].to_pylist() if texts is None else texts
            of_texts = pa.array([count(text) for text in texts], pa.int64())
            values = pa.chunked_array([pc.add(of_texts, own)])
        table = _with_column(table, column, values)
    return _with_column(table, "media_tokens", pa.chunked_array([own]))


def _with_column(table: pa.Table, name: str, values: pa.ChunkedArray) -> pa.Table:
    if name not in table.column_names:
        return table.append_column(name, values)
    return table.set_column(table.column_names.index(name), name, values)


@dataclass(frozen=True)
class Counts:
    """The counts of some shards; counts can be added."""

    documents: int = 0
    tokens: int = 0
    media_tokens: int = 0
    holdout: int = 0
    shared: int = 0
    media: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    batches: Counter[int] = field(default_factory=Counter)

    @staticmethod
    def of(path: Path) -> Counts:
        """Count one shard."""
        import pyarrow.compute as pc

        columns = ["tokens", "media_tokens", "holdout", "also", "source", "batch", "media"]
        table = storage.read_parquet(path, columns=columns)

        def times(column: pa.ChunkedArray) -> Counter[Any]:
            pairs = pc.value_counts(column)
            return Counter(
                dict(zip(pairs.field(0).to_pylist(), pairs.field(1).to_pylist(), strict=True))
            )

        return Counts(
            table.num_rows,
            pc.sum(table["tokens"]).as_py() or 0,
            pc.sum(table["media_tokens"]).as_py() or 0,
            pc.sum(table["holdout"]).as_py() or 0,
            pc.sum(pc.greater(pc.list_value_length(table["also"]), 0)).as_py() or 0,
            times(pc.struct_field(pc.list_flatten(table["media"]), "kind")),
            times(table["source"]),
            times(table["batch"]),
        )

    def __add__(self, other: Counts) -> Counts:
        """Add the counts of both."""
        return Counts(
            self.documents + other.documents,
            self.tokens + other.tokens,
            self.media_tokens + other.media_tokens,
            self.holdout + other.holdout,
            self.shared + other.shared,
            self.media + other.media,
            self.sources + other.sources,
            self.batches + other.batches,
        )
