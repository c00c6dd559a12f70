"""Iterative scaling: the multipliers of one layer and of the sum, exactly, all others held.

The rows of a layer share no cell. So their sums depend on one number alone, the factor of all
cells, and the total rises with it: it is sought by bracketing. The multiplier of a row follows by
Newton's method on the logarithm of its sum, within a bracket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from curate.mixture.cover import Layer
from curate.mixture.dual import Prior

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FARTHEST = 4000.0
"""The factor of all cells is sought no farther below that with which all are full, in nats."""

STEPS = 100
NOTHING = 1e-320


def sweep(prior: Prior, multipliers: Array) -> Array:
    """The multipliers after every layer was scaled once."""
    for layer in prior.cover.layers:
        multipliers = _scaled(prior, layer, multipliers)
    return multipliers


def _scaled(prior: Prior, layer: Layer, multipliers: Array) -> Array:
    import numpy as np

    cover = prior.cover
    others = multipliers.copy()
    others[layer.rows] = 0.0
    others[-1] = 0.0
    tilt = cover.columns @ others
    low, high = (np.append(own[layer.rows], end) for own, end in ((cover.low, 0), (cover.high, 9)))
    level = _level(prior, layer, tilt, low, high)
    own = layer.sums(prior.sums(tilt + level).total)
    wanted = np.clip(own, low, high)
    off = np.flatnonzero(np.abs(wanted - own)[:-1] > 1e-16)
    others[-1] = level
    if len(off):
        others[layer.rows[off]] = _factors(prior, layer, tilt + level, wanted)[off]
    return others


def _level(prior: Prior, layer: Layer, tilt: Array, low: Array, high: Array) -> float:
    """The logarithm of the factor of all cells with which the total is that of the last row."""
    import numpy as np
    from scipy.optimize import brentq

    def excess(level: float) -> float:
        sums = layer.sums(prior.sums(tilt + level).total)
        return float(np.log(max(np.clip(sums, low, high).sum(), NOTHING) / prior.cover.low[-1]))

    most = float((prior.last - tilt).max())
    if excess(most) <= 0:
        return most
    width, above = 1.0, most
    while (least := most - width) > most - FARTHEST and excess(least) > 0:
        width, above = 2 * width, least
    if excess(least) >= 0:
        return least
    return float(brentq(excess, least, above, xtol=1e-13, rtol=1e-14))


def _factors(prior: Prior, layer: Layer, tilt: Array, wanted: Array) -> Array:
    """The multiplier with which each row has the sum that is wanted of it."""
    import numpy as np

    mass = prior.mass + tilt
    highest, most = np.full(len(wanted), -np.inf), np.full(len(wanted), -np.inf)
    np.maximum.at(highest, layer.own, mass)
    np.maximum.at(most, layer.own, prior.last - tilt)
    whole = layer.sums(np.exp(mass - highest[layer.own]))
    with np.errstate(divide="ignore", invalid="ignore"):
        target = np.log(np.maximum(wanted, NOTHING))
        below = target - highest - np.log(whole)
        below[~np.isfinite(below)] = 0.0
        factor, above = below, np.maximum(most, below)
        for _ in range(STEPS):
            own = prior.sums(tilt + factor[layer.own])
            sums, free = layer.sums(own.total), layer.sums(own.free)
            lacking = target - np.log(sums)
            below = np.where(lacking > 0, factor, below)
            above = np.where(lacking < 0, factor, above)
            tangent = factor + lacking * sums / free
            is_inside = (tangent >= below) & (tangent <= above)
            following = np.where(is_inside, tangent, (below + above) / 2)
            following = np.where(np.isfinite(lacking) & (lacking != 0), following, factor)
            has_moved = np.abs(following - factor).max(initial=0.0) > 1e-14
            factor = following
            if not has_moved:
                break
    return np.asarray(factor)
