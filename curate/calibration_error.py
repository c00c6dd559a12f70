"""How far confidence is from accuracy, and whether chance alone explains it.

The expected calibration error (ECE; Naeini et al. 2015, Guo et al. 2017, arXiv 1706.04599) is the
mean distance of confidence and accuracy in bins of equal size, by the probability of the predicted
value. It is above 0 for a perfect head too, since the accuracy of a bin is a mean of few labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

BINS = 10
DRAWS = 999
ENDS = (0.03, 0.97)
"""The quantiles that make a 90 % interval: the gaps of bins, too, are only estimated."""
SAME = 1e-12
"""Errors that differ by less are the same: by their rounding."""
BLOCK = 50_000
"""So many numbers are drawn at once: they stay in the processor's cache."""


@dataclass(frozen=True)
class CalibrationError:
    """The ECE of some labels, and a 90 % interval of what it would be with endless labels.

    The interval covers 85 to 98 % in simulations, more where the probabilities are right.

    `p_value` is the probability of so large an ECE if every probability were right.
    """

    labels: int
    error: float
    low: float
    high: float
    p_value: float


def calibration_error(
    truth: Array, predicted: Array, *, seed: int | tuple[int, ...] = 0, draws: int = DRAWS
) -> CalibrationError:
    """The ECE of predictions (rows x values) against posteriors of the same shape."""
    import numpy as np

    confidence, accuracy = of_the_predicted(truth, predicted)
    rng = np.random.default_rng(seed)
    error = ece(confidence, accuracy)
    low, high = _interval(confidence, accuracy, rng, draws)
    by_chance = if_calibrated(confidence, rng, draws)
    p_value = (1 + int((by_chance >= error - SAME).sum())) / (1 + draws)
    return CalibrationError(len(truth), error, low, high, p_value)


def of_the_predicted(truth: Array, predicted: Array) -> tuple[Array, Array]:
    """The probability of each row's predicted value, and its share of the posterior, in order."""
    import numpy as np

    guess, rows = predicted.argmax(axis=1), np.arange(len(truth))
    confidence, accuracy = predicted[rows, guess], truth[rows, guess]
    order = by_confidence(confidence, accuracy)
    return confidence[order], accuracy[order]


def by_confidence(confidence: Array, accuracy: Array) -> NDArray[np.int64]:
    """The order of rows by confidence, and by chance where it is the same.

    The order in which rows come changes nothing. If accuracy broke ties, a head with few distinct
    confidences would have bins of right rows beside bins of wrong ones, and a large ECE.
    """
    import numpy as np

    order = np.lexsort((accuracy, confidence))
    order = order[np.random.default_rng(0).permutation(len(order))]
    return np.asarray(order[np.argsort(confidence[order], kind="stable")])


def ece(confidence: Array, accuracy: Array) -> float:
    """The ECE in ten bins of equal size; confidence is sorted."""
    return float(_errors(confidence[None], accuracy[None])[0])


def if_calibrated(confidence: Array, rng: np.random.Generator, draws: int = DRAWS) -> Array:
    """The ECE of labels that are redrawn from the confidences themselves; these are sorted."""
    import numpy as np

    errors = []
    for part in _parts(draws, max(1, BLOCK // len(confidence))):
        is_right = rng.random((part, len(confidence))) < confidence
        errors.append(_errors(confidence[None], is_right))
    return np.concatenate(errors)


def _interval(
    confidence: Array, accuracy: Array, rng: np.random.Generator, draws: int
) -> tuple[float, float]:
    """The ends of all ECEs under which the one observed is not extreme (a bootstrap test inverted).

    They are those of the observed gaps times a factor. A bootstrap of rows would not do: an ECE is
    too large by chance, and a resample's is so twice.
    """
    import numpy as np

    gaps, errors = _gaps(confidence, accuracy)
    noise = rng.normal(size=(draws, len(gaps))) * errors
    sizes = _sizes(len(confidence)) / len(confidence)
    observed = float(sizes @ np.abs(gaps))

    def factor(quantile: float) -> float:
        """The factor under which the observed ECE is this quantile; 0 if none is so small."""
        low, high = 0.0, 1.0 / max(observed, 1e-12)
        for _ in range(40):
            middle = (low + high) / 2
            drawn = np.abs(middle * gaps + noise) @ sizes
            low, high = (middle, high) if _quantile(drawn, quantile) < observed else (low, middle)
        return low

    low, high = (factor(quantile) * observed for quantile in reversed(ENDS))
    return low, min(high, 1.0)


def _quantile(values: Array, quantile: float) -> float:
    """What `np.quantile` returns, to the bit, in a tenth of its time; the values are reordered."""
    rank = quantile * (len(values) - 1)
    place = int(rank)
    above = min(place + 1, len(values) - 1)
    values.partition((place, above))
    first, gap, part = float(values[place]), float(values[above] - values[place]), rank - place
    return first + gap * part if part < 0.5 else float(values[above]) - gap * (1 - part)


def _gaps(confidence: Array, accuracy: Array) -> tuple[Array, Array]:
    """The mean gap of each bin, and its standard error; one row has that of its confidence."""
    import numpy as np

    sizes = _sizes(len(confidence))
    starts = np.append(0, np.cumsum(sizes)[:-1])
    gaps = accuracy - confidence
    means = np.add.reduceat(gaps, starts) / sizes
    around = np.add.reduceat((gaps - np.repeat(means, sizes)) ** 2, starts)
    chance = np.add.reduceat(confidence * (1 - confidence), starts)
    variance = np.where(
        sizes > 1, np.maximum(around, chance / 4) / np.maximum(sizes - 1, 1), chance
    )
    return means, np.sqrt(variance / sizes)


def _parts(draws: int, block: int) -> list[int]:
    """A number of draws in parts of at most `block`."""
    return [min(block, draws - first) for first in range(0, draws, block)]


def _errors(confidence: Array, accuracy: Array | NDArray[np.bool_]) -> Array:
    """The ECE of each row of draws; columns are sorted by confidence."""
    import numpy as np

    sizes = _sizes(confidence.shape[1])
    starts = np.append(0, np.cumsum(sizes)[:-1])
    gaps = np.add.reduceat(accuracy - confidence, starts, axis=1)
    return np.asarray(np.abs(gaps).sum(axis=1) / confidence.shape[1])


def _sizes(number: int) -> NDArray[np.int64]:
    """The number of rows in each bin, as equal as can be."""
    import numpy as np

    bins = min(BINS, number)
    return np.full(bins, number // bins) + (np.arange(bins) < number % bins)
