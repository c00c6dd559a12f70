"""Exact quartiles of the candidates and of the drawn documents of each group, in bounded memory.

Each group stands twice: with an even number for its candidates, with the next for those drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from math import ceil, floor, nan
from pathlib import Path
from typing import TYPE_CHECKING

from curate.engine import Engine
from curate.mixture.selection import (
    Bins,
    Boundary,
    Rows,
    Target,
    boundaries,
    histogram,
    joined,
    members,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

QUARTERS = (0.25, 0.5, 0.75)

AT_ONCE = 400
"""The quartiles of so many groups are sought in one search, to bound its memory."""


@dataclass(frozen=True)
class Values:
    """A scratch file with the keys of one shard: the columns `group`, `drawn` and `key`.

    `places` are the numbers of its groups among all. A key is in the order of its value.
    """

    number: int
    path: Path
    places: tuple[int, ...]

    def rows(self) -> Rows:
        """Every document among the candidates of its group, and again if it was drawn.

        Equal values are told apart by a number that is spread over all 64 bits.
        """
        import numpy as np
        import pyarrow as pa

        with pa.memory_map(str(self.path)) as file:
            table = pa.ipc.open_file(file).read_all()
            group, drawn, key = (table[name].to_numpy() for name in ("group", "drawn", "key"))
        group = 2 * np.array(self.places, np.int64)[group]
        place = (np.arange(len(group)) + (self.number << 32)).astype(np.uint64)
        tie = place * np.uint64(0x9E3779B97F4A7C15)
        return Rows(
            np.concatenate((group, group[drawn] + 1)),
            np.concatenate((key, key[drawn])),
            np.concatenate((tie, tie[drawn])),
            np.ones(len(group) + int(drawn.sum()), np.int64),
        )


def quartiles(
    engine: Engine, files: Sequence[Values], numbers: Sequence[int]
) -> list[tuple[float, ...]]:
    """The quartiles of each group; `numbers` are how many values each has."""
    quarters: list[tuple[float, ...]] = []
    for start in range(0, len(numbers), AT_ONCE):
        groups = range(start, min(start + AT_ONCE, len(numbers)))
        ranks = {group: sorted(set(_ranks(numbers[group]))) for group in groups}
        targets = [Target(group, rank) for group in groups for rank in ranks[group]]
        values = iter(_values(engine, files, targets))
        for group in groups:
            by_rank = {rank: next(values) for rank in ranks[group]}
            number = numbers[group]
            quarters.append(tuple(_between(by_rank, number, quarter) for quarter in QUARTERS))
    return quarters


def _ranks(number: int) -> Iterator[int]:
    """The ranks, from 0, between which the quartiles of so many values lie."""
    for quarter in QUARTERS if number else ():
        yield from (floor(quarter * (number - 1)), ceil(quarter * (number - 1)))


def _between(by_rank: dict[int, float], number: int, quarter: float) -> float:
    """A quartile, interpolated linearly as NumPy does it; NaN of no values."""
    if not number:
        return nan
    place = quarter * (number - 1)
    low, high, share = by_rank[floor(place)], by_rank[ceil(place)], place - floor(place)
    return low + (high - low) * share if share < 0.5 else high - (high - low) * (1 - share)


def _values(engine: Engine, files: Sequence[Values], targets: Sequence[Target]) -> list[float]:
    """The value at each target: the one at that rank of its group."""
    size = max(1, -(-len(files) // (8 * engine.workers)))
    parts = [files[start : start + size] for start in range(0, len(files), size)]

    def count(bins: Bins) -> NDArray[np.int64]:
        return _total(sums for _, sums in engine.each(partial(_count, bins), parts))

    def gather(bins: Bins) -> Rows:
        return joined([own for _, own in engine.each(partial(_gather, bins), parts)])

    return [_value(row) for row in boundaries(targets, count, gather)]


def _count(bins: Bins, files: Sequence[Values]) -> NDArray[np.int64]:
    return _total(histogram(file.rows(), bins) for file in files)


def _gather(bins: Bins, files: Sequence[Values]) -> Rows:
    return joined([members(file.rows(), bins) for file in files])


def _total(arrays: Iterable[NDArray[np.int64]]) -> NDArray[np.int64]:
    import numpy as np

    return reduce(np.add, arrays)


def _value(boundary: Boundary | None) -> float:
    """The number of which a key was made by `ascending`."""
    import numpy as np

    if boundary is None:
        raise ValueError("a rank beyond the values of its group")
    key, sign = np.uint64(boundary.key), np.uint64(1 << 63)
    bits = key ^ sign if key & sign else ~key
    return float(np.array(bits).view(np.float64))
