"""Passes over the candidates: where each group's draw ends, where its fifths of quality begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

from curate.engine import Engine, in_order
from curate.mix.candidates import Piece, read
from curate.mixture.groups import FIFTHS, Facts, Groups, name_of
from curate.mixture.selection import (
    Boundary,
    Cells,
    Rows,
    Target,
    ascending,
    boundaries,
    descending,
    histogram,
    members,
)
from curate.mixture.weights import NOISELESS, WEIGHERS, Qualities
from curate.workspace.index import keys_of

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

CHUNKS = 4
"""Pieces of work for each worker in a pass: what one returns may be large."""


@dataclass(frozen=True)
class Place:
    """A piece in the whole: its scratch file, the numbers of its groups, its first position."""

    number: int
    path: Path
    groups: tuple[int, ...]
    start: int

    def read(self) -> tuple[pa.Table, NDArray[np.int64]]:
        """The candidates, and the number of each one's group."""
        import numpy as np

        table = read(self.path)
        numbers = np.array(self.groups, np.int64)
        return table, numbers[table["group"].to_numpy()] if table.num_rows else numbers[:0]


def groups_of(pieces: Sequence[Piece]) -> Groups:
    """The groups of all pieces."""
    return Groups.of(
        pair for piece in pieces for pair in zip(piece.groups, piece.facts, strict=True)
    )


def places_of(pieces: Sequence[Piece], groups: Groups) -> list[Place]:
    """The pieces in order, with the groups' numbers in the whole."""
    numbers = {name: number for number, name in enumerate(groups.names)}
    places, start = [], 0
    for piece in pieces:
        own = tuple(numbers[name_of(values)] for values in piece.groups)
        places.append(Place(piece.number, piece.path, own, start))
        start += piece.documents
    return places


@dataclass(frozen=True)
class Order:
    """The order in which a group's documents are drawn, and in which their qualities rank.

    Groups are numbered; their fifths of quality are sought under the numbers that follow. A
    document that abstained has the weight that `abstained` gives for its group (None: there is no
    such document), or in an order by rank the mean quality of the group.
    """

    strategy: str
    temperature: float
    qualities: Qualities
    abstained: NDArray[np.float64] | None = None

    def weights(self, table: pa.Table, group: NDArray[np.int64]) -> NDArray[np.float64]:
        """The weight of every row, but for strategies that go by rank."""
        import numpy as np

        quality = table["quality"].to_numpy()
        weights = WEIGHERS[self.strategy](quality, group, self.qualities, self.temperature)
        if self.abstained is None:
            return weights
        return np.where(table["abstained"].to_numpy(), self.abstained[group], weights)

    def _qualities(self, table: pa.Table, group: NDArray[np.int64]) -> NDArray[np.float64]:
        """The qualities that an order by rank follows."""
        import numpy as np

        quality = table["quality"].to_numpy()
        if self.abstained is None:
            return np.asarray(quality, np.float64)
        return np.where(table["abstained"].to_numpy(), self.qualities.mean[group], quality)

    def drawn(self, place: Place) -> Rows:
        """The rows in the order of the draw, their weights in tokens."""
        import numpy as np

        table, group = place.read()
        tokens = table["tokens"].to_numpy()
        if self.strategy in NOISELESS:
            quality = self._qualities(table, group)
            return Rows(group, descending(quality), keys_of(table["id"]), tokens)
        keys = np.log(self.weights(table, group)) + table["noise"].to_numpy()
        return Rows(group, descending(keys), positions(place, len(group)), tokens)

    def ranked(self, place: Place) -> Rows:
        """The rows with a quality in its order, each with a weight of 1."""
        import numpy as np

        table, group = place.read()
        quality = table["quality"].to_numpy()
        ones = np.ones(len(group), np.int64)
        rows = Rows(group, ascending(quality), positions(place, len(group)), ones)
        return rows.take(~np.isnan(quality))

    def rows(self, place: Place) -> Rows:
        """Both together; a group's fifths have its number plus that of all groups."""
        import numpy as np

        drawn, ranked = self.drawn(place), self.ranked(place)
        return Rows(
            np.concatenate([drawn.group, ranked.group + len(self.qualities.mean)]),
            np.concatenate([drawn.key, ranked.key]),
            np.concatenate([drawn.tie, ranked.tie]),
            np.concatenate([drawn.weight, ranked.weight]),
        )


def positions(place: Place, rows: int) -> NDArray[np.uint64]:
    """The positions of a piece's rows among all candidates."""
    import numpy as np

    return np.arange(place.start, place.start + rows).astype(np.uint64)


@dataclass(frozen=True)
class _SumWeights:
    order: Order

    def __call__(self, place: Place) -> NDArray[np.float64]:
        """The number of documents with a quality, and the sum of their weights: 2 x groups."""
        import numpy as np

        table, group = place.read()
        known = ~np.isnan(table["quality"].to_numpy())
        size, weights = len(self.order.qualities.mean), self.order.weights(table, group)
        counts = np.bincount(group[known], minlength=size).astype(np.float64)
        return np.stack([counts, np.bincount(group[known], weights[known], size)])


def with_abstained(engine: Engine, places: Sequence[Place], order: Order) -> Order:
    """The order in which documents that abstained have the mean weight of their group.

    A group of which all abstained has equal weights.
    """
    import numpy as np

    parts = list(in_order(engine.each(_SumWeights(order), places)))
    counts, sums = np.sum(parts, axis=0)
    means = np.divide(sums, counts, out=np.ones(len(sums)), where=counts > 0)
    return replace(order, abstained=means)


@dataclass(frozen=True)
class _Count:
    order: Order
    cells: Cells

    def __call__(self, places: Sequence[Place]) -> NDArray[np.int64]:
        """The histogram of some pieces together."""
        return reduce(
            lambda total, own: total + own,
            (histogram(self.order.rows(place), self.cells) for place in places),
        )


@dataclass(frozen=True)
class _Gather:
    order: Order
    cells: Cells

    def __call__(self, places: Sequence[Place]) -> tuple[Rows, NDArray[np.int64]]:
        """The rows of some pieces that lie in open cells."""
        return _together([members(self.order.rows(place), self.cells) for place in places])


def _together(
    parts: Sequence[tuple[Rows, NDArray[np.int64]]],
) -> tuple[Rows, NDArray[np.int64]]:
    import numpy as np

    rows = [part for part, _ in parts]
    joined = (
        np.concatenate([getattr(part, name) for part in rows])
        for name in ("group", "key", "tie", "weight")
    )
    return Rows(*joined), np.concatenate([cells for _, cells in parts])


def find_boundaries(
    engine: Engine, places: Sequence[Place], order: Order, targets: Sequence[Target]
) -> list[Boundary | None]:
    """The boundaries of targets over all candidates; each pass reads the scratch files once."""
    size = max(1, -(-len(places) // (CHUNKS * engine.workers)))
    chunks = [places[start : start + size] for start in range(0, len(places), size)]

    def count(cells: Cells) -> NDArray[np.int64]:
        parts = [own for _, own in sorted(engine.each(_Count(order, cells), chunks), key=_first)]
        return reduce(lambda total, own: total + own, parts)

    def gather(cells: Cells) -> tuple[Rows, NDArray[np.int64]]:
        parts = sorted(engine.each(_Gather(order, cells), chunks), key=_first)
        return _together([own for _, own in parts])

    return boundaries(targets, 2 * len(order.qualities.mean), count, gather)


def _first(pair: tuple[int, object]) -> int:
    return pair[0]


@dataclass(frozen=True)
class Fifths:
    """Where the second to the fifth fifth of quality begin: keys and ties, 4 x groups."""

    keys: NDArray[np.uint64]
    ties: NDArray[np.uint64]

    @staticmethod
    def targets(groups: Sequence[Facts]) -> list[Target]:
        """What to seek for them, group by group; a group without qualities has none."""
        return [
            Target(len(groups) + number, rank - 1)
            for number, facts in enumerate(groups)
            if facts.known
            for rank in facts.fifths()
        ]

    @staticmethod
    def of(groups: Sequence[Facts], beginnings: Sequence[Boundary | None]) -> Fifths:
        """The beginnings, from the boundaries of these targets."""
        import numpy as np

        keys = np.full((FIFTHS - 1, len(groups)), ~np.uint64(0))
        ties = np.full_like(keys, ~np.uint64(0))
        edges = iter(beginnings)
        for number, facts in enumerate(groups):
            for step in range(FIFTHS - 1) if facts.known else ():
                edge = next(edges)
                if edge is not None:
                    keys[step, number], ties[step, number] = edge.key, edge.tie
        return Fifths(keys, ties)

    def fifth(self, rows: Rows) -> NDArray[np.int64]:
        """The fifth, 1 to 5, of each row that has a quality."""
        import numpy as np

        key, tie = self.keys[:, rows.group], self.ties[:, rows.group]
        begun = (rows.key > key) | ((rows.key == key) & (rows.tie >= tie))
        return np.asarray(1 + begun.sum(axis=0))
