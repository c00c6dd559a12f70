"""The texts that the proxy reads: those first in the order of chance, up to so many bytes.

Every document has a noise by its id. Texts of a source are taken in the order of their noise. A row
that is not among the first of its own shards is not among the first of all: each worker keeps no
more rows than the result can have, plus one a source.

Of every source the same part of its tokens is read to train on, up to half a document. So a source
is repeated in the proxy's mixture as often as in the whole one.

A text's bytes are not known without reading it. A token has one byte at least, so as many tokens as
bytes are chosen first; their texts are read, and those beyond the limit are let go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from curate import chance
from curate.engine import in_order
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

WAITING = 100_000
"""So many rows wait before they are sorted."""

OF_MIX = ("group", "weight", "max_epochs", "factor")
COLUMNS = ("id", "source", "tokens", "text")
"""What is read of the chosen documents, with OF_MIX of those to train on."""


@dataclass(frozen=True)
class Rows:
    """Documents: their noise, their tokens, and their place in the order of the pool.

    A place is the number of the shard times 2^32, plus the row there. All arrays have one length.
    """

    noise: NDArray[np.float64]
    place: NDArray[np.int64]
    tokens: NDArray[np.int64]

    def __len__(self) -> int:
        """The number of documents."""
        return len(self.noise)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp] | slice) -> Rows:
        """Some of the rows, by a mask, by their numbers, or from one to another."""
        return Rows(self.noise[rows], self.place[rows], self.tokens[rows])


def joined(parts: Sequence[Rows]) -> Rows:
    """The rows of all parts."""
    import numpy as np

    if not parts:
        return Rows(np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64))
    columns = zip(*((part.noise, part.place, part.tokens) for part in parts), strict=True)
    return Rows(*map(np.concatenate, columns))


@dataclass
class First:
    """The rows with the smallest noise, up to `limit` tokens; the first of all is always in.

    The first row that is not in is kept too: no row after it can be in, however short it is. So a
    row whose noise is above `bound` cannot be in.
    """

    limit: int
    bound: float = inf
    parts: list[Rows] = field(default_factory=list)

    def add(self, rows: Rows) -> None:
        """Add rows, in any order."""
        self.parts.append(rows.take(rows.noise <= self.bound))
        if sum(map(len, self.parts[1:])) > WAITING:
            self.settle()

    def settle(self) -> Rows:
        """Let go of all rows but those that are in and the one after them; return these."""
        rows, inside = self._ordered()
        if inside < len(rows):
            self.bound = float(rows.noise[inside])
        kept = rows.take(slice(inside + 1))
        self.parts = [kept]
        return kept

    def rows(self) -> Rows:
        """The rows that are in, in the order of their noise; ties in the order of the pool."""
        rows, inside = self._ordered()
        return rows.take(slice(inside))

    def _ordered(self) -> tuple[Rows, int]:
        """All rows in their order, and how many are in."""
        import numpy as np

        rows = joined(self.parts)
        rows = rows.take(np.lexsort((rows.place, rows.noise)))
        return rows, _within(rows.tokens, self.limit)


def _within(sizes: NDArray[np.int64], limit: int) -> int:
    """How many of the first sizes sum to the limit at most; the first always counts."""
    import numpy as np

    return max(min(1, len(sizes)), int((np.cumsum(sizes) <= limit).sum()))


@dataclass
class Chosen:
    """The first texts of each source: to train on, and held out.

    `supply` are the tokens of all candidates by source. `documents` is the number of rows seen.
    """

    supply: Mapping[str, int]
    train_bytes: int
    holdout_bytes: int
    training: dict[str, First] = field(default_factory=dict)
    holdout: dict[str, First] = field(default_factory=dict)
    documents: int = 0

    def _first(self, source: str, *, is_held_out: bool) -> First:
        if is_held_out:
            return self.holdout.setdefault(source, First(self.holdout_bytes))
        limit = self.train_bytes * self.supply[source] // max(1, sum(self.supply.values()))
        return self.training.setdefault(source, First(limit))

    def see(self, shard: DocumentShard) -> None:
        """Choose among the documents of one more shard."""
        import pyarrow.compute as pc

        columns = ("id", "kept", "holdout", "source", "tokens", "group")
        table = shard.read(columns, dropped=True)
        is_candidate = pc.and_(table["kept"], pc.is_valid(table["group"]))
        masks = {False: is_candidate, True: pc.and_(table["kept"], table["holdout"])}
        self.documents += table.num_rows
        for is_held_out, mask in masks.items():
            sources = table["source"].filter(mask).to_numpy()
            rows = _rows(table, mask, shard.number)
            for source in dict.fromkeys(sources):
                self._first(source, is_held_out=is_held_out).add(rows.take(sources == source))

    def settle(self) -> Chosen:
        """Let go of all rows that cannot be in; the same object."""
        for first in (*self.training.values(), *self.holdout.values()):
            first.settle()
        return self

    def add(self, other: Chosen) -> None:
        """Choose among what was chosen of other shards too."""
        self.documents += other.documents
        for is_held_out, own in ((False, other.training), (True, other.holdout)):
            for source, first in own.items():
                self._first(source, is_held_out=is_held_out).add(first.settle())


def _rows(table: pa.Table, mask: pa.ChunkedArray, shard: int) -> Rows:
    """The rows of a shard for which the mask is true, with their noise."""
    import numpy as np

    places = np.flatnonzero(mask.to_numpy()) + (shard << 32)
    ids = table["id"].filter(mask).to_pylist()
    tokens = table["tokens"].filter(mask).to_numpy().astype(np.int64)
    return Rows(chance.uniform(ids, 0, "proxy"), places, tokens)


@dataclass(frozen=True)
class _Choose:
    """Chooses among the documents of some shards."""

    supply: Mapping[str, int]
    train_bytes: int
    holdout_bytes: int

    def __call__(self, shards: Sequence[DocumentShard]) -> Chosen:
        chosen = Chosen(self.supply, self.train_bytes, self.holdout_bytes)
        for shard in shards:
            chosen.see(shard)
        return chosen.settle()


def choose(
    workspace: Workspace,
    shards: Sequence[DocumentShard],
    supply: Mapping[str, int],
    train_bytes: int,
    holdout_bytes: int,
) -> Chosen:
    """The first texts of each source, in bounded memory; `supply` are its candidates' tokens."""
    parts = list(chunks(shards, 8 * workspace.engine.workers))
    chosen = Chosen(supply, train_bytes, holdout_bytes)
    with workspace.watch("choosing texts", workspace.tables.rows("clean")) as advance:
        work = _Choose(supply, train_bytes, holdout_bytes)
        for _, part in workspace.engine.each(work, parts):
            chosen.add(part)
            advance(part.documents)
    return chosen.settle()


def chunks(shards: Sequence[DocumentShard], most: int) -> Iterator[Sequence[DocumentShard]]:
    """Yield the shards in so many runs at most."""
    size = max(1, -(-len(shards) // most))
    return (shards[start : start + size] for start in range(0, len(shards), size))


def read_training(
    workspace: Workspace, shards: Sequence[DocumentShard], chosen: Chosen
) -> pa.Table:
    """The columns COLUMNS and OF_MIX of the texts to train on, in the order of the pool.

    A text is in if the part of its source's tokens that come before its middle is small enough.
    """
    import numpy as np

    parts = {source: first.settle() for source, first in sorted(chosen.training.items())}
    rows = joined(list(parts.values()))
    middles = [
        (np.cumsum(own.tokens) - own.tokens / 2) / max(1, chosen.supply[source])
        for source, own in parts.items()
    ]
    order = np.argsort(rows.place)
    middle = np.concatenate([np.zeros(0), *middles])[order]
    table = _read_texts(workspace, shards, rows.place[order], (*COLUMNS, *OF_MIX))
    return table.filter(_first_within(middle, _sizes(table), chosen.train_bytes))


def read_holdout(
    workspace: Workspace,
    shards: Sequence[DocumentShard],
    chosen: Chosen,
    more: Sequence[str] = (),
) -> pa.Table:
    """COLUMNS and `more` of each source's first held-out texts, by source; no empty text."""
    import numpy as np
    import pyarrow.compute as pc

    rows = [chosen.holdout[source].rows() for source in sorted(chosen.holdout)]
    whole = joined(rows)
    owner = np.repeat(np.arange(len(rows)), [len(own) for own in rows])
    order = np.argsort(whole.place)
    columns = list(dict.fromkeys((*COLUMNS, *more)))
    table = _read_texts(workspace, shards, whole.place[order], columns)
    owner, noise, sizes = owner[order], whole.noise[order], _sizes(table)
    is_in = np.zeros(len(owner), bool)
    for number in range(len(rows)):
        own = np.flatnonzero(owner == number)
        is_in[own] = _first_within(noise[own], sizes[own], chosen.holdout_bytes)
    table = table.take(np.flatnonzero(is_in)[np.argsort(owner[is_in], kind="stable")])
    return table.filter(pc.greater(pc.binary_length(table["text"]), 0))


def _sizes(table: pa.Table) -> NDArray[np.int64]:
    """The bytes of each text."""
    import numpy as np
    import pyarrow.compute as pc

    return np.asarray(pc.binary_length(table["text"]).to_numpy().astype(np.int64))


def _first_within(
    key: NDArray[np.float64], sizes: NDArray[np.int64], limit: int
) -> NDArray[np.bool_]:
    """Which rows are the first by a key, up to so many bytes; the first of all always is."""
    import numpy as np

    order = np.argsort(key, kind="stable")
    is_in = np.zeros(len(key), bool)
    is_in[order[: _within(sizes[order], limit)]] = True
    return is_in


def _read_texts(
    workspace: Workspace,
    shards: Sequence[DocumentShard],
    places: NDArray[np.int64],
    columns: Sequence[str],
) -> pa.Table:
    """Read columns of the documents at sorted places."""
    import numpy as np
    import pyarrow as pa

    numbers, starts = np.unique(places >> 32, return_index=True)
    by_shard = np.split(places & 0xFFFFFFFF, starts[1:])
    items = [(shards[number], own) for number, own in zip(numbers.tolist(), by_shard, strict=True)]
    parts: list[pa.Table] = []
    with workspace.watch("reading texts", len(places)) as advance:
        for part in in_order(workspace.engine.each(_Read(tuple(columns)), items)):
            parts.append(part)
            advance(part.num_rows)
    return pa.concat_tables(parts)


@dataclass(frozen=True)
class _Read:
    """Reads columns of some rows of a shard."""

    columns: tuple[str, ...]

    def __call__(self, item: tuple[DocumentShard, NDArray[np.int64]]) -> pa.Table:
        shard, rows = item
        return shard.read(self.columns, rows=rows)
