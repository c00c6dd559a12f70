"""Dawid and Skene: every person has a confusion matrix of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curate.agree.truth import confusion
from curate.agree.truth.coded import Coded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

OFF_DIAGONAL, DIAGONAL = 0.5, 2.5
"""The prior counts of a wrong and of a right answer.

Counts of .01 and .11, which are usual, make the posterior of few answers far too certain.
"""


def fit(
    coded: Coded,
    *,
    off_diagonal: float = OFF_DIAGONAL,
    diagonal: float = DIAGONAL,
    tolerance: float = confusion.TOLERANCE,
    rounds: int = confusion.MAX_ROUNDS,
) -> confusion.Confusion:
    """The model with prior counts for each row of a person's matrix (Dawid and Skene 1979)."""
    import numpy as np

    size = len(coded.values)
    prior = np.full((size, size), off_diagonal)
    np.fill_diagonal(prior, diagonal)

    def maximise(counts: Array, number: int) -> Array:
        smoothed = counts + prior
        return np.asarray(smoothed / smoothed.sum(axis=2, keepdims=True))

    return confusion.fit(coded, maximise, prior=1e-9, tolerance=tolerance, rounds=rounds)


def posterior(coded: Coded) -> Array:
    """The posterior of each item: items x values."""
    return fit(coded).posterior
