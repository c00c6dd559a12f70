"""An estimate with its interval, and the weighted mean that all of them rest on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite, isnan, nan, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEVEL = 0.9
"""The probability with which an interval holds the truth."""


@dataclass(frozen=True)
class Estimate:
    """A value with its standard error and its interval.

    `low` and `high` are None where there is no interval: with fewer than 2 labels. `effective` is
    Kish's number of labels: so many of equal weight would say as much.
    """

    value: float
    error: float
    low: float | None
    high: float | None
    labels: int
    effective: float

    @property
    def width(self) -> float:
        """High minus low; infinite without an interval."""
        return float("inf") if self.low is None or self.high is None else self.high - self.low

    def within(self, low: float, high: float) -> Estimate:
        """The same, with value and interval cut to the range that is possible."""
        ends = [None if end is None else min(max(end, low), high) for end in (self.low, self.high)]
        value = min(max(self.value, low), high)
        return replace(self, value=value, low=ends[0], high=ends[1])


@dataclass(frozen=True)
class Mean:
    """A weighted mean, the variance that comes from drawing, the number of rows, Kish's number."""

    value: float
    variance: float
    labels: int
    effective: float


def weighted_mean(values: Array, weights: Array, left: Array | float = 1.0) -> Mean:
    """The mean of the values, weighted; rows without weight do not count.

    variance = Σ u² · left · (value - mean)² · ne / (ne - 1), where u are the weights as shares and
    ne = 1 / Σ u² is Kish's effective number (1965). `left` is the part of a row's weight that
    nobody has seen (the finite population correction): 1 - propensity. It is NaN below 2 rows.
    """
    import numpy as np

    labels = int(np.count_nonzero(weights))
    if not labels:
        return Mean(nan, nan, 0, 0.0)
    shares = weights / weights.sum()
    effective = float(1 / (shares**2).sum())
    value = float(shares @ values)
    spread = float((shares**2 * left * (values - value) ** 2).sum())
    variance = spread * effective / (effective - 1) if labels > 1 and effective > 1 else nan
    return Mean(value, variance, labels, effective)


def not_seen(weights: Array) -> Array:
    """1 - propensity, by row: the finite population correction; 0 where a row stands for itself."""
    import numpy as np

    return np.asarray(np.clip(1 - 1 / np.maximum(weights, 1e-300), 0, 1))


def with_interval(
    value: float, variance: float, labels: int, effective: float, *, spent: float = 1.0
) -> Estimate:
    """The estimate with the interval of Student's t; none where the variance is not known.

    The degrees of freedom are the effective number less `spent`: what was fitted on the labels.
    """
    from scipy.special import stdtrit

    if isnan(variance) or effective <= spent:
        return Estimate(value, nan, None, None, labels, effective)
    error = sqrt(variance)
    reach = float(stdtrit(effective - spent, (1 + LEVEL) / 2)) * error if error else 0.0
    if not isfinite(reach):
        return Estimate(value, error, None, None, labels, effective)
    return Estimate(value, error, value - reach, value + reach, labels, effective)
