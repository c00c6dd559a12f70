"""Prediction-powered means: what a head predicts of all, corrected by what it got wrong.

Angelopoulos et al. 2023, "Prediction-powered inference" (arXiv 2301.09633), and PPI++ (arXiv
2311.01453), which tunes how much the predictions count, so that bad ones cost nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from curate.inference.design import own_variance
from curate.inference.estimate import Estimate, not_seen, weighted_mean, with_interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SAME = 1e-18
"""Predictions of a smaller variance are all the same."""


def powered(
    values: Array,
    predicted: Array,
    weights: Array,
    mean_of_all: float,
    variances: Array | float = 0.0,
    *,
    trust: float = 1.0,
    spent: float = 1.0,
) -> Estimate:
    """The mean prediction of all, times trust, plus the mean of (value - trust · prediction).

    `mean_of_all` is over the whole population, the labelled documents too. So it is known, and what
    varies is the mean residual. `trust` is PPI++'s lambda: 1 is plain prediction-powered, 0 Hájek.
    """
    mean = weighted_mean(values - trust * predicted, weights, not_seen(weights))
    return with_interval(
        trust * mean_of_all + mean.value,
        mean.variance + own_variance(weights, variances),
        mean.labels,
        mean.effective,
        spent=spent,
    )


def best_trust(values: Array, predicted: Array, weights: Array) -> float:
    """The trust, from 0 to 1, of the smallest variance: the power tuning of PPI++ for a mean.

    It is the slope of values on predictions, both centred, each row counting by its part in the
    variance: (weight · √(1 - propensity))². PPI++ divides it by 1 + n/N, since there the mean
    prediction is an estimate too. Here it is known.
    """
    counts = weights**2 * not_seen(weights)
    total = float(weights.sum())
    if not total:
        return 0.0
    values = values - weights @ values / total
    predicted = predicted - weights @ predicted / total
    squares = float(counts @ predicted**2)
    slope = float(counts @ (values * predicted)) / squares if squares > SAME * counts.sum() else 0.0
    return min(max(slope, 0.0), 1.0)


def tuned(
    values: Array,
    predicted: Array,
    weights: Array,
    mean_of_all: float,
    variances: Array | float = 0.0,
) -> Estimate:
    """PPI++ with the best trust. Tuning costs a degree of freedom."""
    trust = best_trust(values, predicted, weights)
    return powered(
        values, predicted, weights, mean_of_all, variances, trust=trust, spent=2.0 if trust else 1.0
    )
