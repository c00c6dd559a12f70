"""The mean difference of two arms over sources, with its 95 % interval.

Both arms are drawn with the same noise under each seed and read the same held-out documents: so
losses are compared pair by pair. Two things vary and are added as if they were independent:

- the draw: a t-interval of the mean over the seeds;
- the held-out documents: of each source they are a sample of its texts. The variance of a mean
  weighted by bytes is taken with Kish's effective number of documents (Kish 1965).

The sum counts what varies by draw and document together twice: the interval is a little too wide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

COVERED = 0.95
"""The probability with which an interval holds the true difference."""

ALONE = 1.5
"""With fewer effective documents a source does not tell how its documents vary."""


@dataclass(frozen=True)
class Difference:
    """A mean difference and half the width of its interval, in nats per byte.

    `half` is infinite where no source has two documents to tell how documents vary.
    """

    mean: float
    half: float

    @property
    def is_told(self) -> bool:
        """Whether 0 lies outside the interval."""
        return abs(self.mean) > self.half


@dataclass(frozen=True)
class Holdout:
    """The held-out documents: the number of each one's source, and its bytes, 1 or more."""

    source: NDArray[np.int64]
    bytes: NDArray[np.int64]

    def weights(self) -> Array:
        """The weight of each document in the mean over sources: by bytes within its source."""
        import numpy as np

        totals = np.bincount(self.source, self.bytes)
        return np.asarray(self.bytes / totals[self.source] / np.count_nonzero(totals))


def difference(losses: Array, others: Array, holdout: Holdout) -> Difference:
    """How much more an arm loses than another, by the mean over sources.

    Losses are seeds x documents, in nats per byte, for the same seeds (two at least) and documents.
    """
    import numpy as np

    rows = losses - others
    by_seed = rows @ holdout.weights()
    of_seeds = float(by_seed.var(ddof=1)) / len(by_seed)
    of_documents, freedom = _document_variance(rows.mean(axis=0), holdout)
    half = np.hypot(_reach(of_seeds, len(by_seed) - 1), _reach(of_documents, freedom))
    return Difference(float(by_seed.mean()), float(half))


def _reach(variance: float, freedom: float) -> float:
    """Half the width of a t-interval; 0 without variance."""
    from scipy.stats import t

    return float(t.ppf((1 + COVERED) / 2, freedom) * variance**0.5) if variance else 0.0


def _document_variance(rows: Array, holdout: Holdout) -> tuple[float, float]:
    """The variance of the mean over sources by its documents, and its degrees of freedom (Welch).

    Documents of a source that has too few of them are taken to vary as those of the others do on
    the mean. Where no source has enough, the variance is infinite, unless there is no difference.
    """
    import numpy as np

    if not rows.any():
        return 0.0, 1.0
    parts = [_of_source(rows[own], holdout.bytes[own]) for own in _by_source(holdout.source)]
    known = [(unit, number) for unit, number in parts if number >= ALONE]
    if not known:
        return float("inf"), 1.0
    usual = float(np.mean([unit for unit, _ in known]))
    means = [(unit if number >= ALONE else usual) / number for unit, number in parts]
    freedoms = sum((unit / number) ** 2 / (number - 1) for unit, number in known)
    freedom = sum(unit / number for unit, number in known) ** 2 / freedoms if freedoms else 1.0
    return float(sum(means)) / len(parts) ** 2, float(freedom)


def _by_source(source: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    import numpy as np

    return [np.flatnonzero(source == number) for number in np.unique(source)]


def _of_source(rows: Array, sizes: NDArray[np.int64]) -> tuple[float, float]:
    """The variance of one document of a source, and the effective number of its documents."""
    weights = sizes / sizes.sum()
    number = float(1 / (weights**2).sum())
    if number < ALONE:
        return 0.0, number
    spread = weights * (rows - weights @ rows)
    return float((spread**2).sum()) * number * number / (number - 1), number
