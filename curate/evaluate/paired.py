"""The mean difference of two arms by a judge, with its 95 % interval and its p-value.

Both arms are drawn with the same noise under each seed and read the same held-out documents: so
losses are compared pair by pair. A judge is a weighting of these documents. Two things vary and are
added as if they were independent:

- the draw: a t-interval of the mean over the seeds;
- the held-out documents: those of a stratum (a source, or a group) are a sample of its texts. The
  variance of a weighted mean is taken with Kish's effective number of documents (Kish 1965).

The sum counts what varies by draw and document together twice: the interval is a little too wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

COVERED = 0.95
"""The probability with which an interval holds the true difference."""

ALONE = 1.5
"""With fewer effective documents a stratum does not tell how its documents vary."""


@dataclass(frozen=True)
class Difference:
    """A mean difference in nats per byte, and what makes it uncertain.

    `of_seeds` and `of_documents` are variances of the mean, each with its degrees of freedom. The
    latter is infinite where no stratum has two documents to tell how documents vary.
    """

    mean: float
    of_seeds: float
    seeds: float
    of_documents: float
    documents: float

    def reach(self, covered: float) -> float:
        """Half the width of the interval that holds the true difference so often."""
        return hypot(
            _reach(self.of_seeds, self.seeds, covered),
            _reach(self.of_documents, self.documents, covered),
        )

    @property
    def half(self) -> float:
        """Half the width of the 95 % interval."""
        return self.reach(COVERED)

    @property
    def is_told(self) -> bool:
        """Whether 0 lies outside the interval."""
        return abs(self.mean) > self.half

    @property
    def p_value(self) -> float:
        """How often the interval would have to fail for 0 to lie on its end; 1 without any."""
        from scipy.optimize import brentq

        if not self.mean or self.of_documents == inf:
            return 1.0
        if not self.reach(0.5):
            return 0.0

        def beyond(log_p: float) -> float:
            return self.reach(1 - 10**log_p) - abs(self.mean)

        return float(10 ** brentq(beyond, LEAST, 0.0)) if beyond(LEAST) > 0 else 10**LEAST


LEAST = -12.0
"""The logarithm of the smallest p-value that is told."""


def told_apart(p_values: Sequence[float]) -> list[bool]:
    """Which of several differences are told: together they err in 5 % of cases at most (Holm 1979).

    The smallest p-value is compared with 5 % over the number of all, the next with 5 % over one
    less, until one fails.
    """
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    told = [False] * len(p_values)
    for rank, place in enumerate(order):
        if p_values[place] >= (1 - COVERED) / (len(order) - rank):
            break
        told[place] = True
    return told


@dataclass(frozen=True)
class Weighting:
    """How much each held-out document counts; the weights sum to 1. Arrays of one length.

    `stratum` is the number of what a document is a sample of: a source, or a group.
    """

    weight: Array
    stratum: NDArray[np.int64]

    @staticmethod
    def of(mass: Array, stratum: NDArray[np.int64], shares: Array | None = None) -> Weighting:
        """The documents of each stratum by their mass, and the strata by shares (None: alike).

        Shares of strata without mass go to the others in proportion. Some stratum has both.
        """
        import numpy as np

        totals = np.bincount(stratum, mass)
        own = np.ones(len(totals)) if shares is None else shares[: len(totals)]
        own = np.where(totals > 0, own, 0.0)
        part = own / own.sum() / np.where(totals > 0, totals, 1.0)
        return Weighting(np.asarray(mass * part[stratum]), stratum)

    def within(self, is_in: NDArray[np.bool_]) -> Weighting | None:
        """That of some documents alone; None if they count for nothing."""
        total = float(self.weight[is_in].sum())
        return Weighting(self.weight * is_in / total, self.stratum) if total > 0 else None


def difference(losses: Array, others: Array, weighting: Weighting) -> Difference:
    """How much more an arm loses than another, by the weighted mean over documents.

    Losses are seeds x documents, in nats per byte, for the same seeds (two at least) and documents.
    """
    rows = losses - others
    by_seed = rows @ weighting.weight
    of_seeds = float(by_seed.var(ddof=1)) / len(by_seed)
    of_documents, freedom = _document_variance(rows.mean(axis=0), weighting)
    return Difference(float(by_seed.mean()), of_seeds, len(by_seed) - 1, of_documents, freedom)


def _reach(variance: float, freedom: float, covered: float) -> float:
    """Half the width of a t-interval; 0 without variance."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + covered) / 2)) * variance**0.5 if variance else 0.0


def _document_variance(rows: Array, weighting: Weighting) -> tuple[float, float]:
    """The variance of the weighted mean by its documents, and its degrees of freedom (Welch).

    Documents of a stratum that has too few of them are taken to vary as those of the others do on
    the mean. Where no stratum has enough, the variance is infinite, unless nothing differs.
    """
    import numpy as np

    if not rows[weighting.weight > 0].any():
        return 0.0, 1.0
    parts = [
        (float(weights.sum()), *_of_stratum(rows[own], weights / weights.sum()))
        for own in _by_stratum(weighting)
        for weights in [weighting.weight[own]]
    ]
    known = [part for part in parts if part[2] >= ALONE]
    if not known:
        return inf, 1.0
    usual = float(np.mean([unit for _, unit, _, _ in known]))
    means = [
        share**2 * (unit if number >= ALONE else usual) / number for share, unit, number, _ in parts
    ]
    own = [share**2 * unit / number for share, unit, number, _ in known]
    freedoms = sum(mean**2 / part[3] for mean, part in zip(own, known, strict=True))
    return float(sum(means)), float(sum(own) ** 2 / freedoms if freedoms else 1.0)


def _by_stratum(weighting: Weighting) -> list[NDArray[np.intp]]:
    """The documents of each stratum that count."""
    import numpy as np

    counts = np.where(weighting.weight > 0, weighting.stratum, -1)
    return [np.flatnonzero(counts == number) for number in np.unique(counts) if number >= 0]


def _of_stratum(rows: Array, weights: Array) -> tuple[float, float, float]:
    """The variance of one document of a stratum, and how many documents there are in effect.

    The last are the degrees of freedom of that variance: it is a sum of squares, whose weights are
    those of the mean squared (Satterthwaite 1946). A few heavy documents leave few.
    """
    squares = weights**2
    number = float(1 / squares.sum())
    if number < ALONE:
        return 0.0, number, 1.0
    freedom = float(squares.sum() ** 2 / (squares**2).sum()) - 1
    spread = weights * (rows - weights @ rows)
    unit = float((spread**2).sum()) * number * number / (number - 1)
    return unit, number, max(freedom, 1.0)
