"""Platt scaling: a sigmoid of each value's log-odds (Platt 1999).

His targets are kept: of n+ labels for a value and n- against it, a label for it is worth
(n+ + 1) / (n+ + 2), one against it 1 / (n- + 2). So no probability is 0 or 1, and a value without
labels is foreseen with 1 / (n + 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.heads.calibration.calibrator import OutOfFold, floor_of, normalised
from curate.heads.calibration.one_vs_rest import log_odds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Platt:
    """The slope and the intercept of each value's sigmoid."""

    slope: Array
    intercept: Array
    floor: Array

    def __call__(self, logits: Array) -> Array:
        """The probabilities of logits: rows x values."""
        from scipy.special import expit

        sigmoid = expit(log_odds(logits) * self.slope + self.intercept)
        return normalised(sigmoid, self.floor)


def fit_platt(rows: OutOfFold) -> Platt:
    """Fit the sigmoid of each value."""
    import numpy as np

    columns = zip(log_odds(rows.logits).T, rows.truth.T, strict=True)
    fits = np.array([_sigmoid(scores, labels) for scores, labels in columns])
    return Platt(fits[:, 0], fits[:, 1], floor_of(rows.truth))


def targets(labels: Array) -> Array:
    """Platt's targets of labels between 0 and 1; their rests count as labels against."""
    import numpy as np

    positive = labels.sum()
    negative = len(labels) - positive
    low, high = 1 / (negative + 2), (positive + 1) / (positive + 2)
    return np.asarray(low + labels * (high - low))


def _sigmoid(scores: Array, labels: Array) -> Array:
    """Slope and intercept of the lowest cross-entropy; the slope is not negative."""
    import numpy as np
    from scipy.optimize import minimize
    from scipy.special import expit

    wanted = targets(labels)

    def loss(parameters: Array) -> tuple[float, Array]:
        outputs = scores * parameters[0] + parameters[1]
        errors = expit(outputs) - wanted
        value = float((np.logaddexp(0, outputs) - wanted * outputs).mean())
        return value, np.array([(errors * scores).mean(), errors.mean()])

    rate = wanted.mean()
    first = np.array([1.0, np.log(rate / (1 - rate))])
    bounds = [(0.0, 20.0), (None, None)]
    return np.asarray(minimize(loss, first, jac=True, method="L-BFGS-B", bounds=bounds).x)
