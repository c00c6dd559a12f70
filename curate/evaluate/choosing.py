"""The texts that the proxy reads: those first in the order of chance, up to so many bytes.

Every document has a noise by its id. Training texts are taken in the order of their noise, and so
are those of the holdout of each source. A row that is not among the first of its own shards is not
among the first of all: each worker keeps no more rows than the result can have, plus one.

A text's bytes are not known without reading it. A token has one byte at least, so as many tokens as
bytes are chosen first; their texts are read, and those beyond the limit are let go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
COLUMNS = ("id", "source", "tokens", "text", *OF_MIX)
"""What is read of the chosen documents; those of the mixture are null in the holdout."""


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
    """The texts that are chosen: to train on, and of the holdout of each source.

    `supply` is the tokens of all candidates, `sources` are those that have any, `documents` is the
    number of rows seen.
    """

    train_bytes: int
    holdout_bytes: int
    training: First = field(init=False)
    holdout: dict[str, First] = field(default_factory=dict)
    sources: set[str] = field(default_factory=set)
    supply: int = 0
    documents: int = 0

    def __post_init__(self) -> None:
        self.training = First(self.train_bytes)

    def _of(self, source: str) -> First:
        return self.holdout.setdefault(source, First(self.holdout_bytes))

    def see(self, shard: DocumentShard) -> None:
        """Choose among the documents of one more shard."""
        import pyarrow.compute as pc

        columns = ("id", "kept", "holdout", "source", "tokens", "group")
        table = shard.read(columns, dropped=True)
        is_candidate = pc.and_(table["kept"], pc.is_valid(table["group"]))
        is_held_out = pc.and_(table["kept"], table["holdout"])
        self.documents += table.num_rows
        self.supply += pc.sum(table["tokens"].filter(is_candidate)).as_py() or 0
        self.sources.update(set(table["source"].filter(is_candidate).to_numpy()))
        self.training.add(_rows(table, is_candidate, shard.number))
        sources = table["source"].filter(is_held_out).to_numpy()
        rows = _rows(table, is_held_out, shard.number)
        for source in dict.fromkeys(sources):
            self._of(source).add(rows.take(sources == source))

    def settle(self) -> Chosen:
        """Let go of all rows that cannot be in; the same object."""
        for first in (self.training, *self.holdout.values()):
            first.settle()
        return self

    def add(self, other: Chosen) -> None:
        """Choose among what was chosen of other shards too."""
        self.supply += other.supply
        self.sources |= other.sources
        self.documents += other.documents
        self.training.add(other.training.settle())
        for source, first in other.holdout.items():
            self._of(source).add(first.settle())


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

    train_bytes: int
    holdout_bytes: int

    def __call__(self, shards: Sequence[DocumentShard]) -> Chosen:
        chosen = Chosen(self.train_bytes, self.holdout_bytes)
        for shard in shards:
            chosen.see(shard)
        return chosen.settle()


def choose(
    workspace: Workspace, shards: Sequence[DocumentShard], train_bytes: int, holdout_bytes: int
) -> Chosen:
    """The texts to train on, and those of the holdout of each source, in bounded memory."""
    parts = list(_chunks(shards, 8 * workspace.engine.workers))
    chosen = Chosen(train_bytes, holdout_bytes)
    with workspace.watch("choosing texts", workspace.tables.rows("clean")) as advance:
        for _, part in workspace.engine.each(_Choose(train_bytes, holdout_bytes), parts):
            chosen.add(part)
            advance(part.documents)
    return chosen.settle()


def _chunks(shards: Sequence[DocumentShard], most: int) -> Iterator[Sequence[DocumentShard]]:
    size = max(1, -(-len(shards) // most))
    return (shards[start : start + size] for start in range(0, len(shards), size))


def read_training(
    workspace: Workspace, shards: Sequence[DocumentShard], chosen: Chosen
) -> pa.Table:
    """The columns COLUMNS of the texts to train on, in the order of the pool."""
    rows = chosen.training.rows()
    return _read_first(workspace, shards, [rows], chosen.train_bytes)


def read_holdout(
    workspace: Workspace, shards: Sequence[DocumentShard], chosen: Chosen
) -> dict[str, list[str]]:
    """The texts of each source's holdout, by the order of names, without empty texts and sources.

    Only with held-out documents.
    """
    rows = [chosen.holdout[source].rows() for source in sorted(chosen.holdout)]
    table = _read_first(workspace, shards, rows, chosen.holdout_bytes)
    texts: dict[str, list[str]] = {source: [] for source in sorted(chosen.holdout)}
    for source, text in zip(table["source"].to_pylist(), table["text"].to_pylist(), strict=True):
        if text:
            texts[source].append(text)
    return {source: own for source, own in texts.items() if own}


def _read_first(
    workspace: Workspace, shards: Sequence[DocumentShard], parts: Sequence[Rows], limit: int
) -> pa.Table:
    """Read the texts of each part up to a limit of bytes, in the order of the pool."""
    import numpy as np
    import pyarrow.compute as pc

    rows = joined(parts)
    owner = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    order = np.argsort(rows.place)
    table = _read_texts(workspace, shards, rows.place[order])
    sizes = pc.binary_length(table["text"]).to_numpy().astype(np.int64)
    is_in = np.zeros(len(sizes), bool)
    for number in range(len(parts)):
        own = np.flatnonzero(owner[order] == number)
        first = own[np.argsort(rows.noise[order][own], kind="stable")]
        is_in[first[: _within(sizes[first], limit)]] = True
    return table.filter(is_in)


def _read_texts(
    workspace: Workspace, shards: Sequence[DocumentShard], places: NDArray[np.int64]
) -> pa.Table:
    """Read the columns COLUMNS of the documents at sorted places."""
    import numpy as np
    import pyarrow as pa

    numbers, starts = np.unique(places >> 32, return_index=True)
    by_shard = np.split(places & 0xFFFFFFFF, starts[1:])
    items = [(shards[number], own) for number, own in zip(numbers.tolist(), by_shard, strict=True)]
    parts: list[pa.Table] = []
    with workspace.watch("reading texts", len(places)) as advance:
        for part in in_order(workspace.engine.each(_read, items)):
            parts.append(part)
            advance(part.num_rows)
    return pa.concat_tables(parts)


def _read(item: tuple[DocumentShard, NDArray[np.int64]]) -> pa.Table:
    shard, rows = item
    return shard.read(COLUMNS, rows=rows)
