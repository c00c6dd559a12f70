"""The nearest shares within the limits.

    minimise KL(w || wanted)   subject to   low ≤ w ≤ min(high, supply),  Σ w = 1

The solution is w = clip(λ · wanted, low, high) with one λ. The sum is piecewise linear in λ, so it
is solved exactly between two of its edges.

A group wanted at 0 stays out unless its `low` is above 0. Then it gets that. What the wanted groups
cannot take goes to such groups in proportion to supply: w = clip(μ · supply, low, high). Both steps
together are the limit of the problem in which these groups are wanted a little, by their supply.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from curate.mixture.limits import TOLERANCE, Limits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEAST = sys.float_info.min
"""A group wanted less than this counts as wanted at 0: its λ would be no number."""


@dataclass(frozen=True)
class Projected:
    """Shares, and the limits they keep.

    `high` is no more than the supply allows, and 0 for a group that stays out. `bound` names the
    limit that moved a group: min, max or max_epochs; None if none did.
    """

    shares: Mapping[str, float]
    low: Mapping[str, float]
    high: Mapping[str, float]
    bound: Mapping[str, str | None]


def project(
    wanted: Mapping[str, float],
    *,
    low: Mapping[str, float],
    high: Mapping[str, float],
    supply: Mapping[str, float],
) -> Projected:
    """The shares nearest to `wanted` in KL divergence, within 1e-9.

    `supply` is the largest share that a group's tokens allow. Raises Infeasible where the limits
    leave no shares, and ArithmeticError where the conditions of the optimum do not hold or a share
    is no finite number.
    """
    import numpy as np

    names = tuple(wanted)
    columns = (wanted, low, high, supply)
    preference, lows, highs, most = (
        np.array([own[name] for name in names], np.float64) for own in columns
    )
    if not np.isfinite(preference).all():
        raise ArithmeticError("a share that is wanted is no finite number")
    is_wanted = preference >= LEAST
    limits = Limits(names, lows, highs, most, is_wanted)
    limits.check()
    tops = limits.top
    levels = _Level(preference, is_wanted), _Level(most, ~is_wanted & (lows > 0))
    shares, sought = _solve(levels, lows, tops)
    residual = _residual(shares, levels, lows, tops)
    if not residual <= TOLERANCE:
        raise ArithmeticError(f"the shares are off their optimum by {residual:.2g}")
    return Projected(
        shares=dict(zip(names, shares.tolist(), strict=True)),
        low=dict(zip(names, lows.tolist(), strict=True)),
        high=dict(zip(names, tops.tolist(), strict=True)),
        bound=dict(zip(names, limits.bound(sought), strict=True)),
    )


@dataclass(frozen=True)
class _Level:
    """Groups that share in proportion to their preference; a mask over all groups."""

    preference: Array
    mask: NDArray[np.bool_]

    def fill(self, low: Array, top: Array, total: float) -> tuple[Array, Array]:
        """clip(λ · preference, low, top) with the sum `total`, and λ · preference itself."""
        import numpy as np

        own, low, top = self.preference[self.mask], low[self.mask], top[self.mask]
        starts, ends = low / own, top / own
        edges = np.unique(np.concatenate([starts, ends]))
        place = bisect_left(edges, total, key=lambda edge: np.clip(edge * own, low, top).sum())
        sought = own * edges[min(place, len(edges) - 1)]
        shares = np.clip(sought, low, top)
        if not 0 < place < len(edges):
            return shares, sought
        free = (starts < edges[place]) & (ends >= edges[place])
        if free.any():  # rounding may leave none
            left, whole = total - shares[~free].sum(), own[free].sum()
            sought = own * (left / whole)
            sought[free] = left * (own[free] / whole)
            shares[free] = np.clip(sought[free], low[free], top[free])
        return shares, sought

    def is_off(self, shares: Array, low: Array, top: Array) -> float:
        """The largest distance of the shares from clip(λ · preference, low, top).

        λ is the largest ratio of share and preference of all groups above their lower limits.
        """
        import numpy as np

        own, shares, low, top = (part[self.mask] for part in (self.preference, shares, low, top))
        above = shares > low + TOLERANCE
        factor = (shares[above] / own[above]).max(initial=0.0)
        return float(np.abs(shares - np.clip(factor * own, low, top)).max(initial=0.0))


def _solve(levels: tuple[_Level, _Level], low: Array, top: Array) -> tuple[Array, Array]:
    """The shares, and what they would be without limits.

    The second level gets no more than its lower limits while the first is not full.
    """
    import numpy as np

    first, second = levels
    left = 1 - low[second.mask].sum()
    shares, sought = low.copy(), np.zeros(len(low))
    if top[first.mask].sum() >= left - TOLERANCE and first.mask.any():
        shares[first.mask], sought[first.mask] = first.fill(low, top, left)
        return shares, sought
    shares[first.mask], sought[first.mask] = top[first.mask], inf
    left = 1 - top[first.mask].sum()
    shares[second.mask], sought[second.mask] = second.fill(low, top, left)
    return shares, sought


def _residual(shares: Array, levels: tuple[_Level, _Level], low: Array, top: Array) -> float:
    """How far shares are from what characterises the optimum (Karush, Kuhn, Tucker): 0 is it."""
    import numpy as np

    first, second = (level.mask for level in levels)
    open_first, above_second = (top - shares)[first].sum(), (shares - low)[second].sum()
    return max(
        abs(float(shares.sum()) - 1),
        float(np.maximum(low - shares, shares - top).max()),
        min(float(open_first), float(above_second)),
        *(level.is_off(shares, low, top) for level in levels),
    )
