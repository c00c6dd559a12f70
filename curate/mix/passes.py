"""Passes over the candidates: where each draw ends, where the fifths of quality begin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Generic, TypeVar

from curate.engine import Engine, in_order
from curate.mixture.groups import FIFTHS, Facts
from curate.mixture.selection import (
    Bins,
    Boundaries,
    Boundary,
    Rows,
    Target,
    histogram,
    joined,
    located,
    members,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


AnyPlace = TypeVar("AnyPlace")
"""What a pass reads rows from: a piece, or a shard."""

CHUNKS = 4
"""Pieces of work for each worker in a pass: what one returns may be large."""


@dataclass(frozen=True)
class _Count(Generic[AnyPlace]):
    rows: Callable[[AnyPlace], Rows]
    bins: Bins

    def __call__(self, places: Sequence[AnyPlace]) -> NDArray[np.int64]:
        """The histogram of some pieces together."""
        return reduce(
            lambda total, own: total + own,
            (histogram(self.rows(place), self.bins) for place in places),
        )


@dataclass(frozen=True)
class _Gather(Generic[AnyPlace]):
    rows: Callable[[AnyPlace], Rows]
    bins: Bins

    def __call__(self, places: Sequence[AnyPlace]) -> Rows:
        """The rows of some pieces that lie in open bins."""
        return joined([members(self.rows(place), self.bins) for place in places])


def find_boundaries(
    engine: Engine,
    places: Sequence[AnyPlace],
    rows: Callable[[AnyPlace], Rows],
    targets: Sequence[Target],
    sizes: NDArray[np.int64],
) -> list[Boundary | None]:
    """The boundaries of targets over all candidates; see `locate`."""
    import numpy as np

    own = np.array([target.group for target in targets], np.int64)
    amounts = np.array([target.amount for target in targets], np.float64)
    return locate(engine, places, rows, own, amounts, sizes).listed()


def locate(
    engine: Engine,
    places: Sequence[AnyPlace],
    rows: Callable[[AnyPlace], Rows],
    units: NDArray[np.int64],
    amounts: NDArray[np.float64],
    sizes: NDArray[np.int64],
) -> Boundaries:
    """Where the rows of units exceed amounts; each pass reads the scratch files once.

    `sizes` are how many rows each unit has.
    """
    size = max(1, -(-len(places) // (CHUNKS * engine.workers)))
    chunks = [places[start : start + size] for start in range(0, len(places), size)]

    def count(bins: Bins) -> NDArray[np.int64]:
        return reduce(
            lambda total, own: total + own, in_order(engine.each(_Count(rows, bins), chunks))
        )

    def gather(bins: Bins) -> Rows:
        return joined(list(in_order(engine.each(_Gather(rows, bins), chunks))))

    return located(units, amounts, count, gather, sizes)


@dataclass(frozen=True)
class Fifths:
    """Where the second to the fifth fifth of quality begin: keys and ties, 4 x groups."""

    keys: NDArray[np.uint64]
    ties: NDArray[np.uint64]

    @staticmethod
    def targets(groups: Sequence[Facts]) -> list[Target]:
        """What to seek for them, group by group; a group without qualities has none."""
        return [
            Target(number, rank - 1)
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
