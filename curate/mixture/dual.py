"""Shares as a function of the limits' multipliers, and how far they are from the optimum.

    minimise KL(x || prior)   subject to   low ≤ A x ≤ high,  0 ≤ x ≤ top

Every row of A has a multiplier λ: above 0 it holds the sum at `low`, below 0 at `high`. The shares
are x = min(prior · exp(Aᵀλ), top). The optimum is where the dual objective is least, and where no
row is off (Karush, Kuhn, Tucker).
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


@dataclass(frozen=True)
class Point:
    """The shares at some multipliers.

    `exponent` is log(prior) + Aᵀλ by place, `free` the sum of each pattern's shares below their
    top, `sums` that of each row.
    """

    cover: Cover
    multipliers: Array
    exponent: Array
    shares: Array
    is_full: NDArray[np.bool_]
    free: Array
    sums: Array

    @staticmethod
    def at(cover: Cover, log_prior: Array, multipliers: Array) -> Point:
        """The point at some multipliers; `log_prior` by place."""
        import numpy as np

        exponent = log_prior + (cover.columns @ multipliers)[cover.pattern]
        is_full = exponent >= cover.log_top
        shares = np.exp(np.minimum(exponent, cover.log_top))
        totals = cover.by_pattern(shares)
        any_full = is_full.any()
        free = cover.by_pattern(np.where(is_full, 0.0, shares)) if any_full else totals
        return Point(cover, multipliers, exponent, shares, is_full, free, cover.rows @ totals)

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

    @property
    def residual(self) -> float:
        """The largest gap of any row: 0 at the optimum."""
        import numpy as np

        return float(np.abs(self.gap).max(initial=0.0))

    @cached_property
    def held(self) -> Array:
        """The multiplier of each place's top, 0 or more."""
        import numpy as np

        return np.maximum(self.exponent - self.cover.log_top, 0.0)

    @cached_property
    def objective(self) -> float:
        """The dual objective, convex in the multipliers; its slope is minus the gap."""
        import numpy as np

        own = self.multipliers
        sides = np.where(own > 0, self.cover.low, self.cover.high)
        return float(self.shares.sum() + self.shares @ self.held - sides @ own)
