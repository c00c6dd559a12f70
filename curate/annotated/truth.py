"""What is taken as true of labelled documents: by votes alone, or read together with a head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.annotated.answers import Answers
from curate.inference import joint

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """What is taken as true of labelled documents, and its variance given the votes.

    One entry a document: numbers, or rows of documents x values.
    """

    values: Array
    variances: Array

    def at(self, rows: NDArray[np.int64]) -> Truth:
        """That of some rows."""
        return Truth(self.values[rows], self.variances[rows])

    def of(self, place: int) -> Truth:
        """That of one value, by its place."""
        return Truth(self.values[:, place], self.variances[:, place])


def mean_rating(answers: Answers) -> Truth:
    """The mean rating of each document."""
    import numpy as np

    levels = np.array([float(value) for value in answers.values])
    means, squares = answers.posterior @ levels, answers.posterior @ levels**2
    return Truth(means, joint.rating_variances(means, squares, answers.votes))


def by_votes(answers: Answers) -> Truth:
    """The share of each value, documents x values: the posterior of a choice.

    Of a rating it is the mean of as many answers as there are votes: people may differ, and all be
    right.
    """
    own = answers.posterior
    votes = answers.votes[:, None] if answers.is_rating else 1
    return Truth(own, joint.variances(own) / votes)


def with_head(answers: Answers, predicted: Array) -> Truth:
    """The share of each value, by votes and by what a head foresees out of fold.

    Both are documents x values. A rating stands as people gave it: each answer to it is true.
    """
    if answers.is_rating:
        return by_votes(answers)
    read = joint.product(answers.posterior, predicted)
    return Truth(read, joint.variances(read))
