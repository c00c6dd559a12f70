"""Which limits cover which cells.

Cells that the same limits cover are one pattern: their shares have one factor in common. So all
that depends on limits is sparse, and of the size of the patterns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Layer:
    """Rows that share no cell.

    `own` is, for each pattern, the place of its row among `rows`; `len(rows)` where none covers it.
    """

    rows: Numbers
    own: Numbers

    def sums(self, by_pattern: Array) -> Array:
        """The sum over each row's patterns, and over those that no row covers."""
        import numpy as np

        return np.bincount(self.own, by_pattern, len(self.rows) + 1).astype(np.float64, copy=False)


@dataclass(frozen=True)
class Cover:
    """Rows (limits of sums) over the cells that may have a share.

    Attributes:
        cells: The numbers of these cells, sorted by pattern: a cell's place.
        starts: The first place of each pattern.
        pattern: The pattern of each place.
        rows: Sparse matrix, rows x patterns: 1 where a row covers a pattern.
        low: The least sum of each row.
        high: The greatest sum of each row.
        top: The largest share of each place.
    """

    cells: Numbers
    starts: Numbers
    pattern: Numbers
    rows: Any
    low: Array
    high: Array
    top: Array

    @staticmethod
    def of(
        sets: Sequence[Numbers], low: Array, high: Array, top: Array, is_in: NDArray[np.bool_]
    ) -> Cover:
        """The cover of the cells in `is_in` by sets of cells."""
        import numpy as np
        from scipy import sparse

        signature = np.zeros(len(top), np.uint64)
        marks = np.random.default_rng(0).integers(0, 2**64, len(sets), np.uint64)
        for own, mark in zip(sets, marks, strict=True):
            signature[own] += mark
        live = np.flatnonzero(is_in)
        order = np.argsort(signature[live], kind="stable")
        cells = live[order]
        ordered = signature[cells]
        is_first = np.ones(len(cells), bool)
        is_first[1:] = ordered[1:] != ordered[:-1]
        starts = np.flatnonzero(is_first)
        pattern_of = np.full(len(top), -1, np.int64)
        pattern_of[cells[starts]] = np.arange(len(starts))
        covered = [found[found >= 0] for found in (pattern_of[own] for own in sets)]
        edges = np.concatenate([[0], np.cumsum([len(own) for own in covered])]).astype(np.int64)
        columns = np.concatenate([*covered, np.zeros(0, np.int64)])
        rows = sparse.csr_array(
            (np.ones(len(columns)), columns, edges), shape=(len(sets), len(starts))
        )
        return Cover(cells, starts, np.cumsum(is_first) - 1, rows, low, high, top[cells])

    @cached_property
    def columns(self) -> Any:
        """The rows, transposed: patterns x rows."""
        return self.rows.T.tocsr()

    @cached_property
    def log_top(self) -> Array:
        """The logarithm of each place's largest share."""
        import numpy as np

        return np.log(self.top)

    @cached_property
    def reach(self) -> Array:
        """The largest shares of the cells of each pattern together."""
        return self.by_pattern(self.top)

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """All rows but the last, which covers every cell, in layers; at least one layer."""
        import numpy as np

        patterns = len(self.starts)
        members: list[list[int]] = [[]]
        owners = [np.full(patterns, -1, np.int64)]
        for row in range(self.rows.shape[0] - 1):
            own = self.patterns_of(row)
            if not len(own):
                continue
            place = next((at for at, of in enumerate(owners) if (of[own] < 0).all()), len(owners))
            if place == len(owners):
                owners.append(np.full(patterns, -1, np.int64))
                members.append([])
            owners[place][own] = len(members[place])
            members[place].append(row)
        return tuple(
            Layer(np.array(rows, np.int64), np.where(own < 0, len(rows), own))
            for rows, own in zip(members, owners, strict=True)
        )

    def patterns_of(self, row: int) -> Numbers:
        """The patterns that a row covers."""
        import numpy as np

        first, last = self.rows.indptr[row : row + 2]
        return np.asarray(self.rows.indices[first:last], np.int64)

    def places_of(self, patterns: Numbers) -> tuple[Numbers, Numbers]:
        """The places of some patterns, ascending, and where each pattern's begin among them."""
        import numpy as np

        sizes = self.sizes[patterns]
        ends = np.cumsum(sizes)
        starts = ends - sizes
        return np.arange(ends[-1]) + np.repeat(self.starts[patterns] - starts, sizes), starts

    @cached_property
    def sizes(self) -> Numbers:
        """The number of each pattern's places."""
        import numpy as np

        return np.diff(self.starts, append=len(self.cells))

    def by_pattern(self, values: Array) -> Array:
        """The sum of the values of each pattern's places."""
        import numpy as np

        return np.add.reduceat(values, self.starts) if len(self.starts) else np.zeros(0)
