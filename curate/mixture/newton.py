"""Newton's method on the multipliers of limits.

The rows of the largest layer share no cell, so their block of the Hessian is diagonal: a Schur
complement leaves a system of the size of the other active rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.mixture.cover import Layer
from curate.mixture.dual import Point, Prior

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

ENOUGH = 1e-11
"""A residual this small is not made smaller."""

STEPS = 40
SHORTEST = 2.0**-12
DAMPING = 1e-12
"""Added to the Hessian, relative to its diagonal and SMALL: limits may repeat one another, and all
cells of one may be at their tops. It grows until no multiplier moves by more than FARTHEST."""

SMALL = 1e-6
FARTHEST = 30.0


def descend(prior: Prior, multipliers: Array) -> Point:
    """The point that Newton's steps lead to; they end where none makes progress."""
    point = Point.at(prior, multipliers)
    for _ in range(STEPS):
        if point.residual <= ENOUGH:
            break
        following = _next(point)
        if following is None:
            break
        point = following
    return point


def _next(point: Point) -> Point | None:
    """A better point; None where there is none on the way.

    The first step sought is that for log(sum) = log(wanted): a sum that grows like an exponential
    reaches its side in a few such steps from far below.
    """
    import numpy as np

    sums, wanted, gap = point.sums, point.wanted, point.gap
    is_positive = (sums > 0) & (wanted > 0)
    ratio = np.divide(wanted, sums, out=np.ones(len(sums)), where=is_positive)
    bent = np.where(is_positive, sums * np.log(ratio), gap)
    both = _directions(point, np.column_stack([bent, gap]))
    sides = np.where(point.multipliers == 0, np.sign(point.gap), np.sign(point.multipliers))
    is_fixed = point.cover.low == point.cover.high
    trial = _accepted(point, _moved(point, both[:, 0], 1.0, sides, is_fixed))
    length = 1.0
    while trial is None and length >= SHORTEST:
        moved = _moved(point, both[:, 1], length, sides, is_fixed)
        trial = _accepted(point, moved)
        length /= 2
    return trial


def _moved(
    point: Point, direction: Array, length: float, sides: Array, is_fixed: NDArray[np.bool_]
) -> Array:
    """The multipliers after a step; none goes beyond 0, but for rows whose sides are one."""
    import numpy as np

    moved = point.multipliers + length * direction
    return np.where(is_fixed | (moved * sides > 0), moved, 0.0)


def _accepted(point: Point, multipliers: Array) -> Point | None:
    """The point at these multipliers, if it is better by enough."""
    trial = Point.at(point.prior, multipliers)
    if trial.residual <= 0.5 * point.residual:
        return trial
    slope = float(point.gap @ (multipliers - point.multipliers))
    gained = point.objective - trial.objective
    return trial if slope > 0 and gained >= 1e-4 * slope else None


@dataclass(frozen=True)
class Hessian:
    """The Hessian over the active rows, in blocks.

    Attributes:
        one: The active rows of the layer with most of them.
        other: All other active rows; the last is the sum of all shares.
        diagonal: The block of `one`, which is diagonal.
        across: That between `one` and `other`.
        square: That of `other`.
    """

    one: NDArray[np.int64]
    other: NDArray[np.int64]
    diagonal: Array
    across: Array
    square: Array

    @staticmethod
    def at(point: Point) -> Hessian:
        """The Hessian of a point: what two rows have in common below the tops."""
        import numpy as np

        free = point.by_pattern.free
        parts = [part for part in (_active(point, layer) for layer in point.cover.layers) if part]
        parts.sort(key=lambda part: -len(part.rows))
        one, others = (parts[0], parts[1:]) if parts else (Part.none(len(free)), [])
        everything = Part(np.array([len(point.multipliers) - 1]), np.zeros(len(free), np.int64))
        others = [*others, everything]
        return Hessian(
            one.rows,
            np.concatenate([part.rows for part in others]),
            np.asarray(np.bincount(one.own, free, len(one.rows) + 1)[:-1], np.float64),
            np.hstack([one.crossed(part, free) for part in others]),
            np.vstack([np.hstack([a.crossed(b, free) for b in others]) for a in others]),
        )

    def solve(self, gap_one: Array, gap_other: Array, damping: float) -> tuple[Array, Array]:
        """The steps of both kinds of rows that close their gaps; arrays rows x gaps.

        Raises LinAlgError where the damping is too small.
        """
        import numpy as np
        from scipy.linalg import cho_factor, cho_solve

        tamed = self.diagonal * (1 + damping) + damping * SMALL
        scaled = self.across / tamed[:, None]
        extra = np.diag(damping * np.diag(self.square) + damping * SMALL)
        factor = cho_factor(self.square + extra - self.across.T @ scaled)
        other = cho_solve(factor, gap_other - scaled.T @ gap_one)
        return gap_one / tamed[:, None] - scaled @ other, other


@dataclass(frozen=True)
class Part:
    """The active rows of a layer; `own` is the place of a pattern's, or their number for none."""

    rows: NDArray[np.int64]
    own: NDArray[np.int64]

    @staticmethod
    def none(patterns: int) -> Part:
        """A part without a row."""
        import numpy as np

        return Part(np.zeros(0, np.int64), np.zeros(patterns, np.int64))

    def crossed(self, other: Part, by_pattern: Array) -> Array:
        """The sums over the patterns that a row of this part and one of the other share."""
        import numpy as np

        shape = len(self.rows) + 1, len(other.rows) + 1
        both = np.bincount(self.own * shape[1] + other.own, by_pattern, shape[0] * shape[1])
        return np.asarray(both.reshape(shape)[:-1, :-1], np.float64)


def _active(point: Point, layer: Layer) -> Part | None:
    import numpy as np

    is_active = point.is_active[layer.rows]
    count = int(is_active.sum())
    if not count:
        return None
    compact = np.full(len(layer.rows) + 1, count)
    compact[:-1][is_active] = np.arange(count)
    return Part(layer.rows[is_active], compact[layer.own])


def _directions(point: Point, gaps: Array) -> Array:
    """The steps of all rows that close gaps of the active ones; arrays rows x gaps."""
    import numpy as np

    hessian, damping = Hessian.at(point), DAMPING
    steps = np.zeros(gaps.shape)
    while True:
        try:
            own = hessian.solve(gaps[hessian.one], gaps[hessian.other], damping)
        except np.linalg.LinAlgError:
            damping *= 100
            continue
        if max(np.abs(part).max(initial=0.0) for part in own) <= FARTHEST:
            steps[hessian.one], steps[hessian.other] = own
            return steps
        damping *= 100
