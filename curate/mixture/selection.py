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

MANY, SMALL, BATCH = 1_000, 5_000, 300_000
"""Beside so many groups, those with fewer rows are gathered whole, so many rows at once."""


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


@dataclass(frozen=True)
class Boundaries:
    """Boundaries as arrays of one length; the others say nothing where `is_there` is false."""

    is_there: NDArray[np.bool_]
    key: NDArray[np.uint64]
    tie: NDArray[np.uint64]
    weight: NDArray[np.int64]
    before: NDArray[np.int64]

    @staticmethod
    def of(listed: Sequence[Boundary | None]) -> Boundaries:
        """Those of a list; None is one that is not there."""
        import numpy as np

        own = [boundary or Boundary(0, 0, 0, 0) for boundary in listed]
        return Boundaries(
            np.array([boundary is not None for boundary in listed], bool),
            np.array([boundary.key for boundary in own], np.uint64),
            np.array([boundary.tie for boundary in own], np.uint64),
            np.array([boundary.weight for boundary in own], np.int64),
            np.array([boundary.before for boundary in own], np.int64),
        )

    @staticmethod
    def none(size: int) -> Boundaries:
        """So many that are not there; all are zeros."""
        import numpy as np

        keys, numbers = np.zeros((2, size), np.uint64), np.zeros((2, size), np.int64)
        return Boundaries(np.zeros(size, bool), *keys, *numbers)

    def put(self, places: NDArray[np.int64], own: Boundaries) -> None:
        """Put others at some places; those that are not there stay zeros."""
        for column, part in zip(_columns(self), _columns(own), strict=True):
            column[places[own.is_there]] = part[own.is_there]

    def spread(self, places: NDArray[np.intp], size: int) -> Boundaries:
        """The same as some of more boundaries, at these places; the others are not there."""
        if len(places) == size:
            return self
        whole = Boundaries.none(size)
        whole.put(places, self)
        return whole

    def listed(self) -> list[Boundary | None]:
        """One after the other."""
        columns = (column.tolist() for column in _columns(self)[1:])
        rows = zip(self.is_there.tolist(), map(Boundary, *columns), strict=True)
        return [own if is_there else None for is_there, own in rows]


def _columns(own: Boundaries) -> tuple[NDArray[Any], ...]:
    return own.is_there, own.key, own.tie, own.weight, own.before


@dataclass
class Bins:
    """The bins into which the search has descended, as a trie: one level a byte.

    `roots` gives the first bin of each group from `start` on, -1 where nothing is sought.
    `levels[d]` gives, for a bin and the byte d, the next bin or -1. Bins of the last level are the
    open ones.
    """

    start: int
    roots: NDArray[np.int64]
    levels: list[NDArray[np.int64]] = field(default_factory=list)
    count: int = 0

    def find(self, rows: Rows) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The places of the rows that lie in an open bin, and their bins."""
        import numpy as np

        own = rows.group - self.start
        places = np.flatnonzero((own >= 0) & (own < len(self.roots)))
        open_bins = self.roots[own[places]]
        places, open_bins = places[open_bins >= 0], open_bins[open_bins >= 0]
        for depth, level in enumerate(self.levels):
            open_bins = level[open_bins, digit(rows, depth)[places]]
            inside = open_bins >= 0
            places, open_bins = places[inside], open_bins[inside]
        return places, open_bins


def digit(rows: Rows, depth: int) -> NDArray[np.int64]:
    """Byte `depth` of every row's key and tie, the highest first."""
    import numpy as np

    source = rows.key if depth < 8 else rows.tie
    shift = np.uint64(56 - 8 * (depth % 8))
    return ((source >> shift) & np.uint64(0xFF)).astype(np.int64)


def histogram(rows: Rows, open_bins: Bins) -> NDArray[np.int64]:
    """Weights and numbers of rows by open bin and next byte: bins x 256 x 2."""
    import numpy as np

    places, own = open_bins.find(rows)
    inside = rows.take(places)
    bins = own * BINS + digit(inside, len(open_bins.levels))
    size = open_bins.count * BINS
    weights = np.bincount(bins, inside.weight.astype(np.float64), size)
    numbers = np.bincount(bins, minlength=size)
    return np.stack([weights.astype(np.int64), numbers], axis=-1).reshape(open_bins.count, BINS, 2)


def members(rows: Rows, open_bins: Bins) -> Rows:
    """The rows in open bins; the group of each is its bin."""
    places, own = open_bins.find(rows)
    return Rows(own, rows.key[places], rows.tie[places], rows.weight[places])


def joined(parts: list[Rows]) -> Rows:
    """The rows of all parts; the list is empty then."""
    import numpy as np

    columns = [[rows.group, rows.key, rows.tie, rows.weight] for rows in parts]
    parts.clear()
    # Each column of the parts goes as soon as it is joined: both together are large.
    return Rows(*(np.concatenate([own.pop(0) for own in columns]) for _ in range(4)))


@dataclass
class _Search:
    """One target on its way down: the bin it is in, and the sum of weights before that bin."""

    amount: float
    bin: int
    before: int = 0


Count = Callable[[Bins], "NDArray[np.int64]"]
Gather = Callable[[Bins], Rows]


def boundaries(
    targets: Sequence[Target],
    count: Count,
    gather: Gather,
    sizes: NDArray[np.int64] | None = None,
) -> list[Boundary | None]:
    """The boundary of each target; None where the whole group does not exceed the amount.

    `count`, `gather` and `sizes` are as in `located`.
    """
    import numpy as np

    own = np.array([target.group for target in targets], np.int64)
    amounts = np.array([target.amount for target in targets], np.float64)
    return located(own, amounts, count, gather, sizes).listed()


def located(
    own: NDArray[np.int64],
    amounts: NDArray[np.float64],
    count: Count,
    gather: Gather,
    sizes: NDArray[np.int64] | None = None,
) -> Boundaries:
    """The boundaries of targets, given by the group and the amount of each.

    `count` returns the sum of `histogram`, `gather` the joined `members`, over all batches: each
    call is one pass. `sizes` are the numbers of rows of the groups. Where many groups are sought,
    small ones are gathered whole, at most BATCH rows at once: their bins would need more memory.
    """
    import numpy as np

    sought = np.unique(own)
    if sizes is None or len(sought) <= MANY:
        return _descended(own, amounts, count, gather)
    part_of = _parts(sizes, sought)[own]
    whole = Boundaries.none(len(own))
    for part in np.unique(part_of).tolist():
        places = np.flatnonzero(part_of == part)
        chosen = own[places], amounts[places]
        found = _sorted(*chosen, gather) if part else _descended(*chosen, count, gather)
        whole.put(places, found)
    return whole


def _parts(sizes: NDArray[np.int64], sought: NDArray[np.int64]) -> NDArray[np.int64]:
    """The part of each group that is sought: 0 for large ones, then small ones, BATCH rows each."""
    import numpy as np

    small = sought[sizes[sought] < SMALL]
    part_of = np.zeros(len(sizes), np.int64)
    part_of[small] = 1 + np.cumsum(sizes[small]) // BATCH
    return part_of


def _sorted(own: NDArray[np.int64], amounts: NDArray[np.float64], gather: Gather) -> Boundaries:
    """The boundaries of groups that are gathered whole."""
    import numpy as np

    bins = _roots(own)
    rows = gather(bins)
    order, starts = _order(rows, bins.count)
    sums = np.append(0, np.cumsum(rows.weight[order]))
    own = bins.roots[own - bins.start]
    places = np.searchsorted(sums[1:], sums[starts[own]] + amounts, side="right")
    places = np.maximum(places, starts[own])
    is_there = places < starts[own + 1]
    places = np.minimum(places, len(order) - 1)
    at, before = order[places], sums[places] - sums[starts[own]]
    return Boundaries(is_there, rows.key[at], rows.tie[at], rows.weight[at], before)


def _descended(
    own: NDArray[np.int64],
    amounts: NDArray[np.float64],
    count: Count,
    gather: Gather,
) -> Boundaries:
    """The boundaries of groups by a radix descent."""
    bins = _roots(own)
    searches = [
        _Search(amount, bin)
        for amount, bin in zip(amounts.tolist(), bins.roots[own - bins.start].tolist(), strict=True)
    ]
    lost: set[int] = set()
    while True:
        if not bins.count:
            return Boundaries.none(len(searches))
        sums = count(bins)
        many = _descend(bins, searches, sums, lost)
        if many <= FEW or len(bins.levels) == DIGITS:
            break
    rows = gather(bins)
    order, starts = _order(rows, bins.count)
    rows = rows.take(order)
    return Boundaries.of(
        [
            None if number in lost else _in_bin(search, rows, starts)
            for number, search in enumerate(searches)
        ]
    )


def _order(rows: Rows, bins: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The places of the rows bin by bin in their order, and where each bin starts."""
    import numpy as np

    order = np.lexsort((rows.tie, rows.key, rows.group))
    return order, np.append(0, np.cumsum(np.bincount(rows.group, minlength=bins)))


def _roots(own: NDArray[np.int64]) -> Bins:
    """A bin for each group that is sought."""
    import numpy as np

    sought = np.unique(own)
    start, end = (int(sought[0]), int(sought[-1]) + 1) if len(sought) else (0, 0)
    roots = np.full(end - start, -1, np.int64)
    roots[sought - start] = np.arange(len(sought))
    return Bins(start, roots, [], len(sought))


def _descend(bins: Bins, searches: list[_Search], sums: NDArray[np.int64], lost: set[int]) -> int:
    """Go down to the bins in which the boundaries lie; the number of rows in these bins."""
    import numpy as np

    level = np.full((bins.count, BINS), -1, np.int64)
    rows, opened = 0, 0
    for number, search in enumerate(searches):
        if number in lost:
            continue
        cumulative = search.before + np.cumsum(sums[search.bin, :, 0])
        place = int(np.searchsorted(cumulative, search.amount, side="right"))
        if place == BINS:
            lost.add(number)
            continue
        if level[search.bin, place] < 0:
            level[search.bin, place] = opened
            opened += 1
            rows += int(sums[search.bin, place, 1])
        search.before = int(cumulative[place - 1]) if place else search.before
        search.bin = int(level[search.bin, place])
    bins.levels.append(level)
    bins.count = opened
    return rows


def _in_bin(search: _Search, rows: Rows, starts: NDArray[np.int64]) -> Boundary | None:
    """The boundary among the sorted rows of a bin; None where they do not exceed the amount."""
    import numpy as np

    first, last = int(starts[search.bin]), int(starts[search.bin + 1])
    cumulative = search.before + np.cumsum(rows.weight[first:last])
    place = int(np.searchsorted(cumulative, search.amount, side="right"))
    if place == len(cumulative):
        return None
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
