"""How well predictions rank runs: Spearman's correlation, with intervals, and half own weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

DRAWS = 500
LEVEL = 0.9
FAR = 10
"""A target budget of more than so many times the proxies' leans half on own weight."""


@dataclass(frozen=True)
class Ranked:
    """Spearman's correlation of predicted and reached losses, with a bootstrap interval of 90 %.

    NaN where predictions, or losses, are all the same.
    """

    spearman: float
    low: float
    high: float


def ranked(predicted: Array, reached: Array, seed: int = 0) -> Ranked:
    """The correlation of two (n,) over runs; the interval is of resampled runs."""
    import numpy as np

    rows = np.random.default_rng(seed).integers(len(reached), size=(DRAWS, len(reached)))
    drawn = _correlations(predicted[rows], reached[rows])
    tails = np.nanquantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) if _varies(drawn) else drawn
    return Ranked(spearman(predicted, reached), float(tails[0]), float(tails[-1]))


def _varies(drawn: Array) -> bool:
    import numpy as np

    return bool(np.isfinite(drawn).any())


def spearman(predicted: Array, reached: Array) -> float:
    """Spearman's correlation of two (n,); NaN where one of them is constant."""
    return float(_correlations(predicted[None], reached[None])[0])


def _correlations(one: Array, other: Array) -> Array:
    """Pearson's correlation of the ranks in each row."""
    import numpy as np
    from scipy.stats import rankdata

    first, second = (rankdata(each, axis=1) for each in (one, other))
    first -= first.mean(axis=1, keepdims=True)
    second -= second.mean(axis=1, keepdims=True)
    scale = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(scale > 0, (first * second).sum(axis=1) / scale, np.nan))


@dataclass(frozen=True)
class Scale:
    """Where a prediction lies over the runs: their mean, and their standard deviation."""

    centre: float
    spread: float

    @staticmethod
    def of(values: Array) -> Scale:
        """The scale of (n,); the spread of equal values is 1."""
        return Scale(float(values.mean()), float(values.std()) or 1.0)

    def standardised(self, values: Array) -> Array:
        """Values in standard deviations from the mean."""
        return (values - self.centre) / self.spread


def halved(predicted: Array, own: Array, predicted_scale: Scale, own_scale: Scale) -> Array:
    """The standardised prediction, averaged half and half with the standardised own weight.

    On runs of 1B parameters, 64 of RegMix's study, own weight alone ranked better than any model
    fitted at 1M, and this better than either.
    """
    return (predicted_scale.standardised(predicted) + own_scale.standardised(own)) / 2


def leans_on_own(target: float | None, proxy: float | None) -> bool:
    """Whether a target is so far from its proxies that half own weight is the default."""
    return target is not None and proxy is not None and target > FAR * proxy
