"""Whether labels follow predictions as far as these vary: the slope of labels on predictions.

The slope of Cox (1958) without a link: 1 where every probability is right, 0 where labels have
nothing to do with predictions. All labels bear on this one number. The calibration error of bins
spreads them over ten, so it misses a group whose labels were shuffled, where values are near.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

DRAWS = 999
BLOCK = 32
"""Labels of so many rows are drawn at once: they stay in the processor's cache."""
SAME = 1e-9
"""Sums that differ by less are the same: by their rounding."""
TINY = 1e-12
"""Predictions that vary less than this are all the same: they have no slope."""


@dataclass(frozen=True)
class CalibrationSlope:
    """The slope of labels on predictions (None if these are all the same).

    `p_value` is the probability of so small a slope if every probability were right.
    """

    slope: float | None
    p_value: float


def calibration_slope(
    truth: Array,
    predicted: Array,
    *,
    ordered: bool = False,
    seed: int | tuple[int, ...] = 0,
    draws: int = DRAWS,
) -> CalibrationSlope:
    """The slope of posteriors (rows x values) on predictions of the same shape.

    It sums over values; over the steps between them if these are `ordered`, so that near levels
    differ little.
    """
    import numpy as np

    order = np.lexsort(np.hstack([truth, predicted]).T)  # the order of rows changes nothing
    truth, predicted = truth[order], predicted[order]
    worth = _worth(predicted, ordered=ordered)
    spread = float((worth * predicted).sum())
    if spread < TINY:
        return CalibrationSlope(None, 1.0)
    followed = float((worth * truth).sum())
    by_chance = _if_calibrated(worth, predicted, np.random.default_rng(seed), draws)
    p_value = (1 + int((by_chance <= followed + SAME).sum())) / (1 + draws)
    return CalibrationSlope(followed / spread, p_value)


def _worth(predicted: Array, *, ordered: bool) -> Array:
    """What a label of each value adds to the sum that is compared: rows x values.

    A value adds how far it is foreseen above its mean, a level that of all steps below it.
    """
    import numpy as np

    if not ordered:
        return np.asarray(predicted - predicted.mean(axis=0))
    above = np.cumsum(predicted[:, ::-1], axis=1)[:, ::-1]
    steps = above - above.mean(axis=0)  # that of the lowest level is 0
    return np.asarray(np.cumsum(steps, axis=1))


def _if_calibrated(worth: Array, predicted: Array, rng: np.random.Generator, draws: int) -> Array:
    """The sum of each draw of labels from the predictions themselves.

    A label adds the worth of the lowest value, and every step up to its own.
    """
    import numpy as np

    shares = predicted / predicted.sum(axis=1, keepdims=True)
    edges, steps = np.cumsum(shares, axis=1)[:, :-1], np.diff(worth, axis=1)
    sums = np.full(draws, worth[:, 0].sum())
    for first in range(0, len(worth), BLOCK):
        rows = slice(first, first + BLOCK)
        chance = rng.random((len(worth[rows]), draws))
        for step, edge in zip(steps[rows].T, edges[rows].T, strict=True):
            sums += step @ (chance >= edge[:, None]).astype(np.float64)
    return sums
