"""Isotonic calibration: a rising step function of each value's log-odds (Zadrozny and Elkan 2002).

Between two steps it is linear. No probability of n labels is below 1 / (n + 2) or above
(n + 1) / (n + 2): a step of nothing but labels for a value does not prove the next one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.heads.calibration.calibrator import OutOfFold, floor_of, normalised
from curate.heads.calibration.one_vs_rest import log_odds, pooled, stacked

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Isotonic:
    """The ends of each value's steps, ascending, and their heights: values x ends."""

    scores: Array
    heights: Array
    floor: Array

    def __call__(self, logits: Array) -> Array:
        """The probabilities of logits: rows x values."""
        import numpy as np

        odds = log_odds(logits)
        heights = [
            np.interp(odds[:, place], self.scores[place], self.heights[place])
            for place in range(len(self.scores))
        ]
        return normalised(np.stack(heights, axis=1), self.floor)


def fit_isotonic(rows: OutOfFold) -> Isotonic:
    """Fit the steps of each value."""
    columns = zip(log_odds(rows.logits).T, rows.truth.T, strict=True)
    scores, heights = zip(*(_steps(*column) for column in columns), strict=True)
    return Isotonic(stacked(scores), stacked(heights), floor_of(rows.truth))


def _steps(scores: Array, labels: Array) -> tuple[Array, Array]:
    """The first and last score of each step, and its height."""
    import numpy as np
    from scipy.optimize import isotonic_regression

    distinct, means, numbers = pooled(scores, labels)
    heights = isotonic_regression(means, weights=numbers).x
    changes = np.flatnonzero(np.diff(heights))
    ends = np.unique(np.concatenate([[0], changes, changes + 1, [len(distinct) - 1]]))
    least = 1 / (len(scores) + 2)
    return distinct[ends], np.clip(heights[ends], least, 1 - least)
