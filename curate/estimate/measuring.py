"""The rows of a question: its shares or its mean, in the corpus and in each group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.annotated.answers import Answers
from curate.annotated.truth import Truth, by_votes, mean_rating, with_head
from curate.estimate.results import EstimateRow, Interval, Quote
from curate.inference import design
from curate.inference.estimate import Estimate
from curate.inference.powered import best_trust, powered, tuned

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEAST = 10
"""Effective labels of a group below which predictions are not leaned on."""


@dataclass(frozen=True)
class Target:
    """One thing to estimate: a share (of `value`) or a mean (None), with its range.

    votes: the truth by votes alone. read: the truth by votes and head; that of the votes where
    there is none. predicted: of the labelled documents, out of fold; None without predictions.
    """

    question: str
    value: str | None
    low: float
    high: float
    votes: Truth
    read: Truth
    predicted: Array | None

    def at(self, rows: NDArray[np.int64]) -> Target:
        """That of some labelled documents."""
        predicted = None if self.predicted is None else self.predicted[rows]
        return Target(
            *(self.question, self.value, self.low, self.high),
            self.votes.at(rows),
            self.read.at(rows),
            predicted,
        )


@dataclass(frozen=True)
class Part:
    """A part of the corpus: its name (None: all), its documents, and the mean predictions."""

    name: str | None
    documents: int
    means: Mapping[str, float]


def targets(answers: Answers, predicted: Mapping[str, Array]) -> Iterator[Target]:
    """The targets of a question; `predicted` holds the probability of each value, by value."""
    import numpy as np

    name, values = answers.question.name, answers.values
    shares = None
    if predicted:
        nothing = np.zeros(len(answers.ids))
        shares = np.stack([predicted.get(value, nothing) for value in values], axis=1)
    if answers.is_rating:
        levels = np.array([float(value) for value in values])
        truth = mean_rating(answers)
        foreseen = None if shares is None else shares @ levels
        yield Target(name, None, levels.min(), levels.max(), truth, truth, foreseen)
        return
    votes = by_votes(answers)
    read = votes if shares is None else with_head(answers, shares)
    for place, value in enumerate(values):
        if answers.question.is_part and value == values[0]:
            continue  # absent is what is not present
        foreseen = None if shares is None else shares[:, place]
        yield Target(name, value, 0.0, 1.0, votes.of(place), read.of(place), foreseen)


def measured(
    target: Target, weights: Array, groups: Sequence[str], parts: Sequence[Part]
) -> Iterator[EstimateRow]:
    """The row of each part that has labels; trust is tuned on all of them."""
    import numpy as np

    names = np.array(groups, object)
    trust = None
    if target.predicted is not None:
        trust = best_trust(target.read.values, target.predicted, weights)
    for part in parts:
        rows = np.flatnonzero(
            np.full(len(names), True) if part.name is None else names == part.name
        )
        if len(rows):
            yield _row(target.at(rows), weights[rows], part, trust)


def _row(target: Target, weights: Array, part: Part, trust: float | None) -> EstimateRow:
    """A row; the part's mean prediction is that of the target's value."""
    by_labels = _by_labels(target, weights)
    both = None if trust is None else _powered(target, target.read, weights, part, trust)
    votes = None if trust is None else _powered(target, target.votes, weights, part, trust)
    return EstimateRow(
        target.question,
        target.value,
        part.name,
        part.documents,
        by_labels.labels,
        by_labels.effective,
        naive=Interval.of(design.naive(target.votes.values).within(target.low, target.high)),
        hajek=Interval.of(by_labels),
        powered=Interval.of(both) if both else None,
        by_votes=Interval.of(votes) if votes else None,
        trust=trust,
        quote=_quote(by_labels, both),
    )


def _by_labels(target: Target, weights: Array) -> Estimate:
    truth = target.votes
    if target.value is None:
        own = design.hajek(truth.values, weights, truth.variances)
        return own.within(target.low, target.high)
    return design.share(truth.values, weights, truth.variances)


def _powered(target: Target, truth: Truth, weights: Array, part: Part, trust: float) -> Estimate:
    """PPI++; in the corpus its trust is tuned on these very labels, which costs certainty."""
    assert target.predicted is not None
    mean = part.means[target.value or ""]
    given = (truth.values, target.predicted, weights, mean, truth.variances)
    own = tuned(*given) if part.name is None else powered(*given, trust=trust)
    return own.within(target.low, target.high)


def _quote(by_labels: Estimate, both: Estimate | None) -> Quote:
    """Predictions where there are enough labels to correct them, else labels alone."""
    if by_labels.low is None:
        return "nothing"
    varies = both is not None and both.low is not None and both.error > 0
    return "powered" if varies and by_labels.effective >= LEAST else "hajek"
