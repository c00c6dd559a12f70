"""The mixtures that a proposal, or a run, may be: limits of single groups, and of sums over groups.

    low ≤ x ≤ high,   least ≤ Σ part · x ≤ most for each row,   Σ x = 1

The nearest mixture in the sense of KL to weights w is clip(λ w · exp(Σ μ part), low, high), with a
multiplier μ for each row. The dual of the rows is concave in μ (Boyd and Vandenberghe 2004, 5.2),
and has as many variables as there are rows, whatever the number of groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LOWEST = -700.0
"""The least logarithm of a share before it is scaled: a float's least is little below."""

SLACK = 1e-9
"""How far a sum may be from the limit of its row."""

FAR = 1e-6
"""A row that all mixtures miss by more cannot be kept."""


@dataclass(frozen=True)
class Row:
    """A limit of a sum over groups.

    Attributes:
        name: As in the recipe: `language=zh`.
        part: The part of each group that counts, from 0 to 1, (groups,).
        least: The least sum.
        most: The largest sum.
    """

    name: str
    part: Array
    least: float = 0.0
    most: float = 1.0


@dataclass(frozen=True)
class Region:
    """The least and the largest share of each group, and rows; some mixture lies within."""

    low: Array
    high: Array
    rows: tuple[Row, ...] = ()

    def under(self, most: Array) -> Region:
        """The same with no share above `most`, nor below its own least."""
        import numpy as np

        return replace(self, high=np.minimum(self.high, np.maximum(most, self.low)))

    @property
    def is_empty(self) -> bool:
        """Whether no mixture lies within."""
        if self.low.sum() > 1 + SLACK or self.high.sum() < 1 - SLACK:
            return True
        return bool(self.rows) and max(self.misses(), default=0.0) > FAR

    def misses(self) -> list[float]:
        """How far each row has to be missed, where the sum of all misses is the least.

        A linear program; empty without rows, infinite where single groups alone have no room.
        """
        import numpy as np
        from scipy.optimize import linprog

        if not self.rows:
            return []
        count, groups = len(self.rows), len(self.low)
        parts = np.stack([row.part for row in self.rows])
        found = linprog(
            np.append(np.zeros(groups), np.ones(count)),
            A_ub=np.block([[parts, -np.eye(count)], [-parts, -np.eye(count)]]),
            b_ub=[*(row.most for row in self.rows), *(-row.least for row in self.rows)],
            A_eq=[[1.0] * groups + [0.0] * count],
            b_eq=[1.0],
            bounds=[*zip(self.low, self.high, strict=True), *[(0.0, None)] * count],
            method="highs",
        )
        return (
            [float("inf")] * count if found.status else [float(miss) for miss in found.x[groups:]]
        )

    def holds(self, mixture: Array, slack: float = FAR) -> bool:
        """Whether a mixture (groups,) lies within."""
        in_box = (mixture >= self.low - slack).all() and (mixture <= self.high + slack).all()
        sums = [(float(row.part @ mixture), row) for row in self.rows]
        return bool(in_box) and all(
            row.least - slack <= own <= row.most + slack for own, row in sums
        )

    def near(self, mixtures: Array) -> Array:
        """The mixtures within that are nearest to some mixtures, of which none is quite 0."""
        import numpy as np

        return self.nearest(np.log(np.maximum(mixtures, 1e-12)))

    def nearest(self, logs: Array) -> Array:
        """The mixtures within that are nearest to exp(logs), (n, groups), in the sense of KL."""
        import numpy as np

        logs = np.maximum(logs - logs.max(axis=1, keepdims=True), LOWEST)
        found = self._clipped(logs)
        for place in range(len(found)) if self.rows else ():
            if not self.holds(found[place], SLACK):
                found[place] = self._within_rows(logs[place])
        return found

    def _clipped(self, logs: Array) -> Array:
        """clip(λ exp(logs), low, high), the nearest where rows do not count.

        Their sum over log λ is made of pieces, between the points where a share leaves its low or
        reaches its high; λ is exact in the piece with 1.
        """
        import numpy as np

        with np.errstate(divide="ignore", over="ignore"):
            leaves, reaches = np.log(self.low) - logs, np.log(self.high) - logs
            points = np.sort(np.hstack([leaves, reaches]), axis=1)
            at_points = np.exp(logs[:, None, :] + points[:, :, None])
            sums = np.clip(at_points, self.low, self.high).sum(axis=2)
            piece = np.maximum((sums >= 1 - 1e-12).argmax(axis=1), 1)[:, None]
            start = np.take_along_axis(points, piece - 1, axis=1)
            end = np.take_along_axis(points, piece, axis=1)
            is_free = (leaves <= start) & (reaches >= end) & (self.high > 0)
            fixed = np.where(reaches <= start, self.high, self.low)
            rest = 1 - np.where(is_free, 0.0, fixed).sum(axis=1, keepdims=True)
            free = np.where(is_free, np.exp(logs), 0.0).sum(axis=1, keepdims=True)
            middle = np.log(np.maximum(rest, 0) / np.where(free > 0, free, 1))
            factor = np.where(free > 0, np.clip(middle, start, end), end)
            return np.asarray(np.clip(np.exp(logs + factor), self.low, self.high))

    def _within_rows(self, logs: Array) -> Array:
        """The nearest mixture to exp(logs), (groups,), that keeps the rows: the dual's optimum."""
        import numpy as np
        from scipy.optimize import minimize
        from scipy.special import xlogy

        low = [(row.part, row.least) for row in self.rows if row.least > row.part.min()]
        high = [(-row.part, -row.most) for row in self.rows if row.most < row.part.max()]
        if not low and not high:  # no row can be missed
            return np.asarray(self._clipped(logs[None])[0])
        sides = np.stack([side for side, _ in (*low, *high)])
        ends = np.array([end for _, end in (*low, *high)])

        def at(multipliers: Array) -> Array:
            moved = logs + multipliers @ sides
            clipped: Array = self._clipped(np.maximum(moved - moved.max(), LOWEST)[None])[0]
            return clipped

        def negative_dual(multipliers: Array) -> tuple[float, Array]:
            shares = at(multipliers)
            missing = ends - sides @ shares
            value = xlogy(shares, shares).sum() - shares @ logs + multipliers @ missing
            return -float(value), -missing

        found = minimize(
            negative_dual,
            np.zeros(len(ends)),
            method="L-BFGS-B",
            jac=True,
            bounds=[(0, None)] * len(ends),
            options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 500},
        )
        return at(found.x)


def kept(region: Region) -> tuple[Region, tuple[str, ...]]:
    """The region with the rows that some mixture keeps, and the names of the others.

    The row that has to be missed the most is left out first.
    """
    left_out: list[str] = []
    misses: Sequence[float] = region.misses()
    while misses and max(misses) > FAR:
        worst = max(range(len(misses)), key=lambda place: misses[place])
        left_out.append(region.rows[worst].name)
        rows = region.rows[:worst] + region.rows[worst + 1 :]
        region = replace(region, rows=rows)
        misses = region.misses()
    return region, tuple(left_out)
