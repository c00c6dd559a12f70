"""Exact order statistics of many rows, in memory that depends on groups and not on rows.

Rows are in the order of (key, tie), two unsigned 64-bit numbers. For each target the boundary is
sought: the first row of its group at which the sum of weights, in this order, exceeds an amount.
With weights of 1 that is a rank; with tokens it is where a budget ends.

The search is a radix descent. A histogram over the first byte says in which of 256 bins the
boundary lies, the next pass looks at the second byte of that bin alone, and so on. It ends with
the rows of bins that are small enough to sort.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DIGITS = 16
"""Bytes of a row's key and tie."""

BINS = 256

FEW = 100_000
"""So many rows of a bin are sorted at once."""


@dataclass(frozen=True)
class Rows:
    """Rows of one batch: their group's number, key, tie and weight; arrays of one length."""

    group: NDArray[np.int64]
    key: NDArray[np.uint64]
    tie: NDArray[np.uint64]
    weight: NDArray[np.int64]

    def take(self, rows: Any) -> Rows:
        """Some of the rows, by a mask or by their places."""
        return Rows(self.group[rows], self.key[rows], self.tie[rows], self.weight[rows])


@dataclass(frozen=True)
class Target:
    """A boundary that is sought: where the sum of weights of a group exceeds `amount`."""

    group: int
    amount: float


@dataclass(frozen=True)
class Boundary:
    """The row at which the sum exceeds the amount, and the sum of all rows before it."""

    key: int
    tie: int
    weight: int
    before: int


@dataclass
class Cells:
    """The bins into which the search has descended, as a trie: one level a byte.

    `roots` gives the first cell of each group, -1 where nothing is sought. `levels[d]` gives, for
    a cell and the byte d, the next cell or -1. Cells of the last level are the open ones.
    """

    roots: NDArray[np.int64]
    levels: list[NDArray[np.int64]] = field(default_factory=list)
    count: int = 0

    def find(self, rows: Rows) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The places of the rows that lie in an open cell, and their cells."""
        import numpy as np

        places = np.flatnonzero(self.roots[rows.group] >= 0)
        cells = self.roots[rows.group[places]]
        for depth, level in enumerate(self.levels):
            cells = level[cells, digit(rows, depth)[places]]
            inside = cells >= 0
            places, cells = places[inside], cells[inside]
        return places, cells


def digit(rows: Rows, depth: int) -> NDArray[np.int64]:
    """Byte `depth` of every row's key and tie, the highest first."""
    import numpy as np

    source = rows.key if depth < 8 else rows.tie
    shift = np.uint64(56 - 8 * (depth % 8))
    return ((source >> shift) & np.uint64(0xFF)).astype(np.int64)


def histogram(rows: Rows, cells: Cells) -> NDArray[np.int64]:
    """Weights and numbers of rows by open cell and next byte: cells x 256 x 2."""
    import numpy as np

    places, own = cells.find(rows)
    inside = rows.take(places)
    bins = own * BINS + digit(inside, len(cells.levels))
    size = cells.count * BINS
    weights = np.bincount(bins, inside.weight.astype(np.float64), size)
    numbers = np.bincount(bins, minlength=size)
    return np.stack([weights.astype(np.int64), numbers], axis=-1).reshape(cells.count, BINS, 2)


def members(rows: Rows, cells: Cells) -> tuple[Rows, NDArray[np.int64]]:
    """The rows in open cells, and their cells."""
    places, own = cells.find(rows)
    return rows.take(places), own


@dataclass
class _Search:
    """One target on its way down: the cell it is in, and the sum of weights before that cell."""

    target: Target
    cell: int
    before: int = 0
    done: bool = False


def boundaries(
    targets: Sequence[Target],
    groups: int,
    count: Callable[[Cells], NDArray[np.int64]],
    gather: Callable[[Cells], tuple[Rows, NDArray[np.int64]]],
) -> list[Boundary | None]:
    """The boundary of each target; None where the whole group does not exceed the amount.

    `count` returns the sum of `histogram`, `gather` the joined `members`, over all batches: each
    call is one pass.
    """
    import numpy as np

    cells, searches = _first(targets, groups)
    lost: set[int] = set()
    while True:
        if not cells.count:
            return [None] * len(targets)
        sums = count(cells)
        many = _descend(cells, searches, sums, lost)
        if many <= FEW or len(cells.levels) == DIGITS:
            break
    rows, own = gather(cells)
    order = np.lexsort((rows.tie, rows.key, own))
    rows, own = rows.take(order), own[order]
    starts = np.searchsorted(own, np.arange(cells.count + 1))
    return [
        None if number in lost else _in_cell(search, rows, starts)
        for number, search in enumerate(searches)
    ]


def _first(targets: Sequence[Target], groups: int) -> tuple[Cells, list[_Search]]:
    import numpy as np

    roots = np.full(groups, -1, np.int64)
    for target in targets:
        if roots[target.group] < 0:
            roots[target.group] = roots.max(initial=-1) + 1
    cells = Cells(roots, [], int(roots.max(initial=-1) + 1))
    return cells, [_Search(target, int(roots[target.group])) for target in targets]


def _descend(cells: Cells, searches: list[_Search], sums: NDArray[np.int64], lost: set[int]) -> int:
    """Go down to the bins in which the boundaries lie; the number of rows in these bins."""
    import numpy as np

    level = np.full((cells.count, BINS), -1, np.int64)
    rows, opened = 0, 0
    for number, search in enumerate(searches):
        if number in lost:
            continue
        cumulative = search.before + np.cumsum(sums[search.cell, :, 0])
        place = int(np.searchsorted(cumulative, search.target.amount, side="right"))
        if place == BINS:
            lost.add(number)
            continue
        if level[search.cell, place] < 0:
            level[search.cell, place] = opened
            opened += 1
            rows += int(sums[search.cell, place, 1])
        search.before = int(cumulative[place - 1]) if place else search.before
        search.cell = int(level[search.cell, place])
    cells.levels.append(level)
    cells.count = opened
    return rows


def _in_cell(search: _Search, rows: Rows, starts: NDArray[np.int64]) -> Boundary:
    import numpy as np

    first, last = int(starts[search.cell]), int(starts[search.cell + 1])
    cumulative = search.before + np.cumsum(rows.weight[first:last])
    place = int(np.searchsorted(cumulative, search.target.amount, side="right"))
    before = int(cumulative[place - 1]) if place else search.before
    row = first + place
    return Boundary(int(rows.key[row]), int(rows.tie[row]), int(rows.weight[row]), before)


def ascending(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Numbers that are in the order of the values; NaN comes last, -0 and 0 are equal."""
    import numpy as np

    bits = np.ascontiguousarray(values + 0.0).view(np.uint64)
    sign = np.uint64(1) << np.uint64(63)
    keys = np.where(bits & sign, ~bits, bits | sign)
    return np.where(np.isnan(values), ~np.uint64(0), keys)


def descending(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Numbers that are in the order of the values from the largest down; NaN comes last."""
    import numpy as np

    return np.where(np.isnan(values), ~np.uint64(0), ~ascending(values))


def values_of(descended: NDArray[np.uint64]) -> NDArray[np.float64]:
    """The values of which `descending` made these numbers."""
    import numpy as np

    keys, sign = ~np.ascontiguousarray(descended), np.uint64(1) << np.uint64(63)
    return np.where(keys & sign, keys ^ sign, ~keys).view(np.float64)
