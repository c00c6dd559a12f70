"""Shares as a function of the limits' multipliers, and how far they are from the optimum.

    minimise KL(x || prior)   subject to   low ≤ A x ≤ high,  0 ≤ x ≤ top

Every row of A has a multiplier λ: above 0 it holds the sum at `low`, below 0 at `high`. The shares
are x = min(prior · exp(Aᵀλ), top). The optimum is where the dual objective is least, and where no
row is off (Karush, Kuhn, Tucker).

Aᵀλ is one number for each pattern, its tilt. So sums are those of patterns, and cells are looked at
only in patterns of which a cell is at its top.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from curate.mixture.cover import Cover

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

GREATEST = 700.0
"""exp of more than this is no number; a pattern with so much is at its tops."""


@dataclass(frozen=True)
class Sums:
    """By pattern the sum of the shares, and that of those below their top.

    `held` is the sum over all cells of share times the multiplier of its top.
    """

    total: Array
    free: Array
    held: float


@dataclass(frozen=True)
class Prior:
    """A prior over the places of a cover.

    Attributes:
        cover: The cover.
        log: The logarithm of the prior of each place.
        mass: The logarithm of the prior of each pattern.
        first: The tilt from which on a cell of each pattern is at its top.
        last: The tilt from which on all of them are.
    """

    cover: Cover
    log: Array
    mass: Array
    first: Array
    last: Array

    @staticmethod
    def of(cover: Cover, prior: Array) -> Prior:
        """The prior of the places, all above 0."""
        import numpy as np

        log = np.log(prior)
        room = cover.log_top - log
        first, last = (bound.reduceat(room, cover.starts) for bound in (np.minimum, np.maximum))
        return Prior(cover, log, np.log(cover.by_pattern(prior)), first, last)

    def sums(self, tilt: Array) -> Sums:
        """The sums of patterns with some tilts."""
        import numpy as np

        cover = self.cover
        total = np.exp(np.minimum(self.mass + tilt, GREATEST))
        hot = np.flatnonzero(tilt >= self.first)
        if not len(hot):
            return Sums(total, total, 0.0)
        places, starts = cover.places_of(hot)
        exponent = self.log[places] + tilt[cover.pattern[places]]
        log_top = cover.log_top[places]
        is_full = exponent >= log_top
        shares = np.exp(np.minimum(exponent, log_top))
        total[hot] = np.add.reduceat(shares, starts)
        free = total.copy()
        free[hot] = np.add.reduceat(np.where(is_full, 0.0, shares), starts)
        held = float(shares @ np.maximum(exponent - log_top, 0.0))
        return Sums(total, free, held)


@dataclass(frozen=True)
class Point:
    """The shares at some multipliers; `sums` are those of the rows."""

    prior: Prior
    multipliers: Array
    tilt: Array
    by_pattern: Sums
    sums: Array

    @staticmethod
    def at(prior: Prior, multipliers: Array) -> Point:
        """The point at some multipliers."""
        tilt = prior.cover.columns @ multipliers
        own = prior.sums(tilt)
        return Point(prior, multipliers, tilt, own, prior.cover.rows @ own.total)

    @property
    def cover(self) -> Cover:
        """The limits and the cells."""
        return self.prior.cover

    @cached_property
    def wanted(self) -> Array:
        """The sum that each row is to have; that which it has where no side is at work."""
        import numpy as np

        at_low = (self.multipliers > 0) | ((self.multipliers == 0) & (self.sums < self.cover.low))
        at_high = (self.multipliers < 0) | ((self.multipliers == 0) & (self.sums > self.cover.high))
        sides = np.where(at_high, self.cover.high, self.sums)
        return np.where(at_low, self.cover.low, sides)

    @cached_property
    def gap(self) -> Array:
        """What each row lacks of the sum that it is to have."""
        return self.wanted - self.sums

    @cached_property
    def is_active(self) -> NDArray[np.bool_]:
        """The rows of which a side is at work."""
        import numpy as np

        fixed = self.cover.low == self.cover.high
        return np.asarray((self.multipliers != 0) | (self.gap != 0) | fixed)

    @cached_property
    def residual(self) -> float:
        """The largest gap of any row: 0 at the optimum."""
        import numpy as np

        return float(np.abs(self.gap).max(initial=0.0))

    @cached_property
    def objective(self) -> float:
        """The dual objective, convex in the multipliers; its slope is minus the gap."""
        import numpy as np

        own = self.multipliers
        sides = np.where(own > 0, self.cover.low, self.cover.high)
        return float(self.by_pattern.total.sum() + self.by_pattern.held - sides @ own)

    def by_place(self) -> tuple[Array, Array, NDArray[np.bool_]]:
        """The share of each place, the multiplier of its top, and whether it is at it."""
        import numpy as np

        cover = self.cover
        exponent = self.prior.log + self.tilt[cover.pattern]
        shares = np.exp(np.minimum(exponent, GREATEST, out=exponent), out=exponent)
        held, is_full = np.zeros(len(shares)), np.zeros(len(shares), bool)
        hot = np.flatnonzero(self.tilt >= self.prior.first)
        if len(hot):
            places, _ = cover.places_of(hot)
            above = (
                self.prior.log[places] + self.tilt[cover.pattern[places]] - cover.log_top[places]
            )
            full = places[above >= 0]
            shares[full], is_full[full] = cover.top[full], True
            held[places] = np.maximum(above, 0.0)
        return shares, held, is_full
