"""Votes read together with the text: what people said, and what a head foresees out of fold.

Votes alone shrink every text towards the overall prevalence, whatever it says. A draw that prefers
a class takes just those texts where that is wrong. The joint reading mends it. It leans on the
head's calibration, so show both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

PRODUCTS = 3


def product(votes: Array, predicted: Array) -> Array:
    """T / mean of T by class · p, normalised: items x classes.

    `votes` are the posteriors of the votes (T), which hold the prevalence once; it is divided out,
    since the head's probabilities hold it too. Where nothing is left of a row, it keeps its votes.
    """
    import numpy as np

    prevalence = votes.mean(axis=0)
    weights = np.divide(votes * predicted, prevalence, where=prevalence > 0, out=0 * votes)
    sums = weights.sum(axis=1, keepdims=True)
    return np.where(sums > 0, weights / np.where(sums > 0, sums, 1), votes)


@dataclass(frozen=True)
class Joint:
    """Votes read with a head: the truth (items x classes), and the head's own probabilities.

    `predicted` are out of fold, by heads that learned from the product before the last.
    """

    truth: Array
    predicted: Array


def read_together(
    votes: Array, out_of_fold: Callable[[Array], Array], *, products: int = PRODUCTS
) -> Joint:
    """The products of votes and head: the head learns from each but the last, and reads again.

    `out_of_fold` learns a head from soft truth (items x classes) and returns what heads that did
    not see a row predict of it. The votes always are the first ones, never a product. The head that
    reads all documents is to be learned from the truth returned.
    """
    truth, predicted = votes, votes
    for _ in range(products):
        predicted = out_of_fold(truth)
        truth = product(votes, predicted)
    return Joint(truth, predicted)


def variances(truth: Array) -> Array:
    """The variance of each class under a posterior: p (1 - p), items x classes."""
    return truth * (1 - truth)


def rating_variances(means: Array, squares: Array, votes: NDArray[np.int64]) -> Array:
    """The variance of each text's mean rating: s² / votes, with s² pooled within texts.

    `means` and `squares` are the mean rating and mean squared rating of each text. All are 0 where
    no text has two ratings: then nothing is known about it.
    """
    import numpy as np

    freedom = float((votes - 1).sum())
    within = float(((squares - means**2).clip(0) * votes).sum())
    pooled = within / freedom if freedom > 0 else 0.0
    return np.asarray(pooled / votes)
