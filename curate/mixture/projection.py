"""The nearest shares within the limits, over cells: parts of groups that limits tell apart.

    minimise KL(x || prior)   subject to   low ≤ Σ x over the cells of each limit ≤ high,
                                           0 ≤ x ≤ top,  Σ x = 1

Limits may overlap. The multipliers of the limits are found by Newton's method (`newton`), between
sweeps of iterative scaling (`scaling`) where it does not get on.

A cell with prior 0 stays out unless a limit with a `low` needs it. What such cells get together is
the least that the limits allow, and they share it in proportion to supply. That is the limit of the
problem in which these cells are wanted a little, by their supply.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING

from curate.mixture import conflicts, newton, scaling
from curate.mixture.cover import Cover
from curate.mixture.dual import Point, Prior
from curate.mixture.limits import TOLERANCE, Limit
from curate.mixture.refusals import refuse

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEAST = sys.float_info.min
"""A cell wanted less than this counts as wanted at 0: its factor would be no number."""

NOTHING = 1e-12
"""Less than this need not be taken from cells that are not wanted."""

BINDS = 1e-9
"""A multiplier at least this far from 0 is told."""

ROUNDS = 60
FEW_ROUNDS = 2
"""After so many rounds it is checked whether any shares keep the limits."""


@dataclass(frozen=True)
class Projected:
    """The nearest shares, and what holds them.

    Attributes:
        shares: The share of each cell; they sum to 1.
        multipliers: For each limit, above 0 where its low side raises its cells, below 0 where its
            high side lowers them, 0 where it is slack; in nats.
        held: For each cell, the multiplier of its top: above 0 where the top lowers it.
            Multipliers are infinite where cells with prior 0 would have less.
        is_full: The cells that are at their top.
        entered: What cells with prior 0 have together.
        start: All multipliers, from which a similar problem may start.
    """

    shares: Array
    multipliers: Array
    held: Array
    is_full: NDArray[np.bool_]
    entered: float
    start: Array


@dataclass(frozen=True)
class Price:
    """What a limit costs.

    `multiplier` is the gain of KL for each share by which `side` is moved; `gain` is what KL would
    fall by without the limit, in nats. Both are infinite where cells that nobody wants would have
    less.
    """

    name: str
    side: str
    multiplier: float
    gain: float


@dataclass(frozen=True)
class Problem:
    """Limits over cells, made ready to be solved for many priors that are above 0 in one place.

    `names` are the groups of the cells, for messages; `supply` says how cells share that are not
    wanted, the tops if it is None.
    """

    limits: tuple[Limit, ...]
    names: Sequence[str]
    top: Array
    supply: Array
    is_wanted: NDArray[np.bool_]

    @staticmethod
    def of(
        prior: Array,
        top: Array,
        limits: Sequence[Limit],
        *,
        names: Sequence[str],
        supply: Array | None = None,
    ) -> Problem:
        """The problem of a prior, and of all that are above 0 where it is."""
        own = top if supply is None else supply
        return Problem(tuple(limits), names, top, own, prior >= LEAST)

    def unready(self) -> Problem:
        """The same problem, whose covers are made again where they are asked for."""
        return replace(self)

    @cached_property
    def is_in(self) -> NDArray[np.bool_]:
        """The cells that may have a share."""
        import numpy as np

        is_in = self.is_wanted.copy()
        for limit in self.limits:
            if limit.low > 0:
                is_in[limit.cells] = True
        return np.asarray(is_in & (self.top > 0))

    @cached_property
    def entering(self) -> NDArray[np.int64]:
        """The cells with prior 0 that limits may let in."""
        return (self.is_in & ~self.is_wanted).nonzero()[0]

    @cached_property
    def _open(self) -> Cover:
        """The limits and the sum, with every cell that may have a share."""
        return self._cover(None)

    @cached_property
    def _least(self) -> conflicts.Least | None:
        """The least that cells with prior 0 must have together, if any. Raises Infeasible."""
        if not len(self.entering):
            return None
        is_entering = ~self.is_wanted[self._open.cells[self._open.starts]]
        found = conflicts.least(self._open, is_entering)
        if found is None:
            self._refuse()
            raise ArithmeticError("the linear program of the limits was not solved")
        return found if found.sum > NOTHING else None

    @property
    def entered(self) -> float:
        """The least that cells with prior 0 must have together. Raises Infeasible."""
        return self._least.sum if self._least else 0.0

    @cached_property
    def _ready(self) -> Cover:
        """The limits and the sum, and what enters as a limit of its own."""
        return self._cover(self.entered)

    def _cover(self, entered: float | None) -> Cover:
        import numpy as np

        everything = np.arange(len(self.top))
        sets = [limit.cells for limit in self.limits]
        low = [limit.low for limit in self.limits]
        high = [limit.high for limit in self.limits]
        # The set of what enters tells patterns apart, whether or not its sum is known yet.
        sets, low, high = [*sets, self.entering], [*low, entered or 0.0], [*high, entered or 1.0]
        is_in = self.is_in.copy()
        if entered == 0.0:
            is_in &= self.is_wanted
        for limit in self.limits if entered is not None else ():
            if limit.high <= 0:
                is_in[limit.cells] = False
        sets, low, high = [*sets, everything], [*low, 1.0], [*high, 1.0]
        return Cover.of(sets, np.minimum(low, high), np.array(high), self.top, is_in)

    def project(self, prior: Array, start: Array | None = None) -> Projected:
        """The shares nearest to `prior` in KL divergence, within 1e-9.

        `start` is that of an earlier answer. Raises Infeasible where the limits leave no shares,
        and ArithmeticError where the conditions of the optimum do not hold or the prior is no
        finite number.
        """
        import numpy as np

        if not np.isfinite(prior).all():
            raise ArithmeticError("a wanted share is not a finite number")
        if (prior[~self.is_wanted] >= LEAST).any():
            raise ValueError("the prior is above 0 where that of the problem is not")
        point = self._solved(self._ready, self._prior(prior), start)
        if not point.residual <= TOLERANCE:
            raise ArithmeticError(f"the shares are off their optimum by {point.residual:.2g}")
        return self._projected(point)

    def _prior(self, prior: Array) -> Array:
        """The prior, in which cells that enter have their supply: their sum is a limit."""
        import numpy as np

        own = np.where(self.is_wanted, np.maximum(prior, LEAST), 0.0)
        if self.entered:
            own[self.entering] = self.supply[self.entering]
        return own

    def _solved(self, cover: Cover, own: Array, start: Array | None) -> Point:
        """The optimum, or the nearest to it that was found. Raises Infeasible."""
        import numpy as np

        if not len(cover.cells) or self._is_reversed:
            self._refuse()
        prior = Prior.of(cover, own[cover.cells])
        begun = np.zeros(cover.rows.shape[0]) if start is None else start
        best = point = Point.at(prior, begun)
        for number in range(ROUNDS):
            if start is None or number:
                point = Point.at(prior, scaling.sweep(prior, point.multipliers))
            point = newton.descend(prior, point.multipliers)
            best = min(best, point, key=lambda other: other.residual)
            if best.residual <= newton.ENOUGH:
                break
            if number == FEW_ROUNDS - 1:
                if best.residual <= TOLERANCE:
                    break
                self._refuse()
        return best

    @cached_property
    def _is_reversed(self) -> bool:
        return any(limit.low > limit.high for limit in self.limits)

    def _refuse(self) -> None:
        """Raise Infeasible if no shares keep the limits."""
        refuse(self._open, self.limits, self.names, self.is_wanted, self.supply)

    def _projected(self, point: Point) -> Projected:
        import numpy as np

        places = point.cover.cells
        shares, held = np.zeros(len(self.top)), np.zeros(len(self.top))
        is_full = np.zeros(len(self.top), bool)
        shares[places], held[places], is_full[places] = point.by_place()
        multipliers = point.multipliers[: len(self.limits)].copy()
        if self._least:
            rows = self._least.rows[: len(self.limits)]
            binds = np.abs(rows) > BINDS
            multipliers[binds] = np.copysign(inf, rows[binds])
            tops = (self._least.tops > BINDS)[self._open.pattern]
            held[self._open.cells[tops]] = inf
        return Projected(shares, multipliers, held, is_full, self.entered, point.multipliers)

    def prices(self, prior: Array, projected: Projected) -> list[Price]:
        """What each limit costs that the recipe names and that is at work."""
        import numpy as np

        now = divergence(projected.shares, self._prior(prior))
        priced = []
        for number, limit in enumerate(self.limits):
            own = float(projected.multipliers[number])
            if not limit.is_written or abs(own) < BINDS:
                continue
            others = replace(self, limits=self.limits[:number] + self.limits[number + 1 :])
            freed = others.project(prior, np.delete(projected.start, number))
            gain = max(now - divergence(freed.shares, others._prior(prior)), 0.0)
            if freed.entered < projected.entered - TOLERANCE:
                gain = inf
            priced.append(Price(limit.name, limit.side(own > 0), float(own), float(gain)))
        return priced


def project(
    prior: Array,
    top: Array,
    limits: Sequence[Limit],
    *,
    names: Sequence[str],
    supply: Array | None = None,
    start: Array | None = None,
) -> Projected:
    """The shares nearest to `prior`; see `Problem`, which solves for many priors."""
    return Problem.of(prior, top, limits, names=names, supply=supply).project(prior, start)


def divergence(shares: Array, prior: Array) -> float:
    """KL(shares || prior) in nats."""
    import numpy as np

    has = shares > 0
    return float((shares[has] * np.log(shares[has] / prior[has])).sum())
