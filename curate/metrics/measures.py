"""Measures beside the trivial baseline, each with its interval, for every kind of question.

The baseline is fitted on the same labels: the largest class and the class shares, the mean rating,
no label, no span. How much `better` the model is has an interval of its own: both are measured on
the same items, so it is narrower than those of the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.metrics.bootstrap import Measures, bootstrap, ratio_of_sums
from curate.metrics.classes import confusion
from curate.metrics.losses import briers, cross_entropies, means

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

ABSENT, PRESENT = 0, 1
"""The columns of whether a label occurs."""


@dataclass(frozen=True)
class Measure:
    """A measure of predictions with its 95 % interval, beside the trivial baseline.

    `better` is how much the model is better than the baseline: above 0 it is, whether the measure
    is a loss or not. It is None where the baseline has no such measure. An interval is None where
    nothing varies.
    """

    measure: str
    value: float
    low: float | None
    high: float | None
    trivial: float | None
    better: float | None
    better_low: float | None
    better_high: float | None


CLASSES = (
    *("accuracy", "macro precision", "macro recall", "macro F1"),
    *("cross-entropy", "Brier score"),
)
RATINGS = ("squared error", "absolute error", "rank correlation")
LOSSES = {"cross-entropy", "Brier score", "squared error", "absolute error"}
"""The smaller, the better."""


def of_classes(truth: Array, predicted: Array) -> tuple[Measure, ...]:
    """The measures CLASSES of probabilities, items x classes, beside the class shares."""
    prior = truth.mean(axis=0, keepdims=True).repeat(len(truth), axis=0)
    return beside(CLASSES, len(truth), _classes(truth, predicted), _classes(truth, prior))


def _classes(truth: Array, predicted: Array) -> Measures:
    import numpy as np

    confused, classes = confusion(truth, predicted), truth.shape[1]
    losses = np.stack([cross_entropies(truth, predicted), briers(truth, predicted)], axis=1)
    parts = ratio_of_sums(np.hstack([confused.reshape(len(truth), -1), losses]))

    def measures(counts: Array) -> Array:
        sums = parts(counts)
        matrix = sums[:, :-2].reshape(-1, classes, classes)
        right = matrix.trace(axis1=1, axis2=2)
        macro = [_macro(matrix, figure) for figure in _by_class(matrix)]
        return np.column_stack([right, *macro, sums[:, -2:]])

    return measures


def _by_class(matrix: Array) -> tuple[Array, Array, Array]:
    """Precision, recall and F1 of each class, from confusion matrices (true x predicted)."""
    import numpy as np

    right = np.diagonal(matrix, axis1=1, axis2=2)
    true, guessed = matrix.sum(axis=2), matrix.sum(axis=1)
    return over(right, guessed), over(right, true), over(2 * right, true + guessed)


def _macro(matrix: Array, figure: Array) -> Array:
    """The plain mean over the classes that occur."""
    return mean_where(figure, matrix.sum(axis=2) > 0)


def mean_where(figure: Array, occurs: NDArray[np.bool_]) -> Array:
    """The mean of each row's figures over the columns that occur in it; 0 without any."""
    return over((figure * occurs).sum(axis=1), occurs.sum(axis=1))


def over(one: Array, other: Array) -> Array:
    """The ratio; 0 where nothing is divided by nothing."""
    import numpy as np

    return np.divide(one, other, out=np.zeros_like(one, dtype=np.float64), where=other > 0)


def f1_by_class(truth: Array, predicted: Array) -> list[tuple[float | None, float | None]]:
    """The interval of the F1 of each class."""
    confused, classes = confusion(truth, predicted), truth.shape[1]
    parts = ratio_of_sums(confused.reshape(len(truth), -1))

    def measures(counts: Array) -> Array:
        return _by_class(parts(counts).reshape(-1, classes, classes))[2]

    return [(own.low, own.high) for own in bootstrap(measures, len(truth))]


def of_ratings(truth: Array, predicted: Array, levels: Sequence[float]) -> tuple[Measure, ...]:
    """The measures RATINGS of mean ratings, beside the mean of all; items x levels.

    Squared error: 1/n Σ (p - t)². Absolute error: 1/n Σ |p - t|. Rank correlation: Spearman's,
    Pearson's correlation of the ranks, ties by their mean rank; the baseline ranks nothing.
    """
    import numpy as np

    told, foreseen = means(truth, levels), means(predicted, levels)
    constant = np.full_like(told, told.mean())
    return beside(RATINGS, len(told), _ratings(told, foreseen), _ratings(told, constant))


def _ratings(told: Array, foreseen: Array) -> Measures:
    import numpy as np

    error = foreseen - told
    errors = ratio_of_sums(np.stack([error**2, abs(error)], axis=1))
    ranks = [_ranks(told), _ranks(foreseen)]

    def measures(counts: Array) -> Array:
        one, other = (rank(counts) for rank in ranks)
        return np.column_stack([errors(counts), _correlation(one, other, counts)])

    return measures


def _ranks(values: Array) -> Callable[[Array], Array]:
    """From counts to the rank of each item among those drawn: ties have their mean rank."""
    import numpy as np

    ordered = np.sort(values)
    first = np.searchsorted(ordered, values)
    behind = np.searchsorted(ordered, values, side="right")
    order = np.argsort(values, kind="stable")

    def ranks(counts: Array) -> Array:
        below = np.pad(np.cumsum(counts[:, order], axis=1), ((0, 0), (1, 0)))
        return np.asarray((below[:, first] + below[:, behind] + 1) / 2)

    return ranks


def _correlation(one: Array, other: Array, counts: Array) -> Array:
    """Pearson's correlation of the columns of each row, weighted by counts; 0 without variance."""
    import numpy as np

    total = counts.sum(axis=1, keepdims=True)
    one = one - (one * counts).sum(axis=1, keepdims=True) / total
    other = other - (other * counts).sum(axis=1, keepdims=True) / total
    spread = np.sqrt((counts * one**2).sum(axis=1) * (counts * other**2).sum(axis=1))
    return over((counts * one * other).sum(axis=1), np.where(spread > 1e-9, spread, 0))


def of_labels(labels: Mapping[str, tuple[Sequence[str], Array, Array]]) -> tuple[Measure, ...]:
    """F1 micro, macro and of each label, where a text may have several labels.

    `labels` are, by label, the ids of its texts, and posteriors and predictions of whether it
    occurs (texts x ABSENT, PRESENT). F1 of a label: 2 TP / (2 TP + FP + FN). Micro sums TP, FP and
    FN over the labels; macro is the mean over the labels that occur. The baseline says of each
    label what most texts have: of a rare one that it never occurs.
    """
    import numpy as np

    ids = sorted({id for own, _, _ in labels.values() for id in own})
    row_of = {id: row for row, id in enumerate(ids)}
    model, trivial = (np.zeros((len(ids), len(labels), 3)) for _ in range(2))
    for place, (own, truth, predicted) in enumerate(labels.values()):
        rows = [row_of[id] for id in own]
        prior = truth.mean(axis=0, keepdims=True).repeat(len(truth), axis=0)
        model[rows, place] = _hits(truth, predicted)
        trivial[rows, place] = _hits(truth, prior)
    names = ("micro F1", "macro F1", *(f"F1 of {label}" for label in labels))
    return beside(names, len(ids), _labels(model), _labels(trivial))


def _hits(truth: Array, predicted: Array) -> Array:
    """Each text's TP, FP and FN of a label."""
    parts = confusion(truth, predicted)
    return parts[:, [PRESENT, ABSENT, PRESENT], [PRESENT, PRESENT, ABSENT]]


def _labels(hits: Array) -> Measures:
    import numpy as np

    parts, labels = ratio_of_sums(hits.reshape(len(hits), -1)), hits.shape[1]

    def measures(counts: Array) -> Array:
        right, wrong, missed = np.moveaxis(parts(counts).reshape(-1, labels, 3), 2, 0)
        every = [part.sum(axis=1) for part in (right, wrong, missed)]
        micro = over(2 * every[0], 2 * every[0] + every[1] + every[2])
        own = over(2 * right, 2 * right + wrong + missed)
        return np.column_stack([micro, mean_where(own, right + missed > 0), own])

    return measures


def beside(
    names: Sequence[str], items: int, model: Measures, trivial: Measures | None
) -> tuple[Measure, ...]:
    """The measures of a model beside those of the baseline; None: all of these are 0."""
    import numpy as np

    signs = np.array([-1.0 if name in LOSSES else 1.0 for name in names])

    def both(counts: Array) -> Array:
        own = model(counts)
        other = np.zeros_like(own) if trivial is None else trivial(counts)
        return np.hstack([own, other, signs * (own - other)])

    drawn = bootstrap(both, items)
    own, others, gains = (drawn[start : start + len(names)] for start in _starts(len(names)))
    return tuple(
        Measure(name, value.value, value.low, value.high, *((None,) * 4))
        if name == "rank correlation"
        else Measure(
            *(name, value.value, value.low, value.high, other.value),
            *(gain.value, gain.low, gain.high),
        )
        for name, value, other, gain in zip(names, own, others, gains, strict=True)
    )


def _starts(size: int) -> tuple[int, int, int]:
    return 0, size, 2 * size
