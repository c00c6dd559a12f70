"""Newton's method on the multipliers of limits.

The rows of the largest layer share no cell, so their block of the Hessian is diagonal: a Schur
complement leaves a system of the size of the other active rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from curate.mixture.cover import Cover
from curate.mixture.dual import Point

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

ENOUGH = 1e-12
"""A residual this small is not made smaller."""

STEPS = 40
SHORTEST = 2.0**-12
DAMPING = 1e-12
"""Added to the Hessian, relative to its diagonal: limits may repeat one another. It grows until
no multiplier moves by more than FARTHEST."""

FARTHEST = 30.0


def descend(cover: Cover, log_prior: Array, multipliers: Array) -> Point:
    """The point that Newton's steps lead to; they end where none makes progress."""
    point = Point.at(cover, log_prior, multipliers)
    for _ in range(STEPS):
        if point.residual <= ENOUGH:
            break
        following = _next(point, log_prior)
        if following is None:
            break
        point = following
    return point


def _next(point: Point, log_prior: Array) -> Point | None:
    """A better point; None where there is none on the way.

    The first step sought is that for log(sum) = log(wanted): a sum that grows like an exponential
    reaches its side in a few such steps from far below.
    """
    import numpy as np

    active = np.flatnonzero(point.is_active)
    sums, wanted = point.sums[active], point.wanted[active]
    gap = point.gap[active]
    is_positive = (sums > 0) & (wanted > 0)
    ratio = np.divide(wanted, sums, out=np.ones(len(active)), where=is_positive)
    bent = np.where(is_positive, sums * np.log(ratio), gap)
    both = _directions(point, active, np.column_stack([bent, gap]))
    sides = np.where(point.multipliers == 0, np.sign(point.gap), np.sign(point.multipliers))
    is_fixed = point.cover.low == point.cover.high
    trial = _accepted(point, log_prior, _moved(point, both[:, 0], 1.0, sides, is_fixed))
    length = 1.0
    while trial is None and length >= SHORTEST:
        moved = _moved(point, both[:, 1], length, sides, is_fixed)
        trial = _accepted(point, log_prior, moved)
        length /= 2
    return trial


def _moved(
    point: Point, direction: Array, length: float, sides: Array, is_fixed: NDArray[np.bool_]
) -> Array:
    """The multipliers after a step; none goes beyond 0, but for rows whose sides are one."""
    import numpy as np

    moved = point.multipliers + length * direction
    return np.where(is_fixed | (moved * sides > 0), moved, 0.0)


def _accepted(point: Point, log_prior: Array, multipliers: Array) -> Point | None:
    """The point at these multipliers, if it is better by enough."""
    trial = Point.at(point.cover, log_prior, multipliers)
    if trial.residual <= 0.5 * point.residual:
        return trial
    slope = float(point.gap @ (multipliers - point.multipliers))
    gained = point.objective - trial.objective
    return trial if slope > 0 and gained >= 1e-4 * slope else None


def _directions(point: Point, active: NDArray[np.int64], gaps: Array) -> Array:
    """The steps of all rows that close the gaps of the active ones; a column for each of `gaps`."""
    import numpy as np
    from scipy.linalg import cho_factor, cho_solve

    cover, free = point.cover, point.free
    is_active = np.zeros(cover.rows.shape[0], bool)
    is_active[active] = True
    large = max((own.rows[is_active[own.rows]] for own in cover.layers), key=len)
    place = np.full(len(is_active), -1)
    place[active] = np.arange(len(active))
    rest = np.setdiff1d(active, large)
    one, other = cover.rows[large], cover.rows[rest]
    weighted = other * free[None, :]
    diagonal = one @ free
    across = (one @ weighted.T).toarray()
    square = (weighted @ other.T).toarray()
    gap_one, gap_other = gaps[place[large]], gaps[place[rest]]
    damping = DAMPING
    while True:
        tamed = diagonal * (1 + damping) + damping * 1e-6
        scaled = across / tamed[:, None]
        extra = np.diag(damping * np.diag(square) + damping * 1e-6)
        try:
            factor = cho_factor(square + extra - across.T @ scaled)
        except np.linalg.LinAlgError:
            damping *= 100
            continue
        steps = np.zeros((len(is_active), gaps.shape[1]))
        steps[rest] = cho_solve(factor, gap_other - scaled.T @ gap_one)
        steps[large] = gap_one / tamed[:, None] - scaled @ steps[rest]
        if np.abs(steps).max(initial=0.0) <= FARTHEST:
            return steps
        damping *= 100
