"""The mean of a group of documents, and the share of a class in a draw that prefers some of them.

Both are prediction-powered: predictions for all, corrected by the residuals of labelled documents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.inference.estimate import Estimate, weighted_mean, with_interval
from curate.inference.powered import powered

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Labelled:
    """The labelled documents of a group, one entry a document in every field.

    truth: what people said, 0 to 1 for a class, or the mean rating. predicted: the same by a head
    that never saw the label. weights: design weights. variances: of the truth, given its votes.
    """

    truth: Array
    predicted: Array
    weights: Array
    variances: Array

    def at(self, rows: NDArray[np.int64]) -> Labelled:
        """Those in some rows."""
        return Labelled(
            *(self.truth[rows], self.predicted[rows], self.weights[rows], self.variances[rows])
        )


def group_mean(labelled: Labelled, mean_of_all: float) -> Estimate:
    """The mean of a group: mean prediction of all its documents plus the mean residual.

    se² = Σ u² (1 - π)(r - b)² ne / (ne - 1) + Σ u² V, with u in proportion to the weights.
    """
    return powered(
        labelled.truth, labelled.predicted, labelled.weights, mean_of_all, labelled.variances
    )


def group_means(
    labelled: Labelled, groups: Sequence[str | None], means: Mapping[str, float]
) -> dict[str, Estimate]:
    """The mean of each group, by name; `means` are the mean predictions of all its documents.

    `groups` says of which group each labelled document is. One of no group (None) counts in none.
    """
    import numpy as np

    names = np.array(groups, object)
    return {
        name: group_mean(labelled.at(np.flatnonzero(names == name)), mean)
        for name, mean in means.items()
    }


@dataclass(frozen=True)
class Unlabelled:
    """Sums over the documents of a draw that have no label; w is a document's weight in the draw.

    weight: Σ w. predicted: Σ w p. variance: Σ w² p (1 - p), how the unseen truth varies.
    """

    weight: float
    predicted: float
    variance: float

    @staticmethod
    def of(drawn: Array, predicted: Array) -> Unlabelled:
        """The sums over documents with these weights in the draw and these probabilities."""
        return Unlabelled(
            float(drawn.sum()),
            float(drawn @ predicted),
            float(drawn**2 @ (predicted * (1 - predicted))),
        )

    def joined(self, other: Unlabelled) -> Unlabelled:
        """The sums over both."""
        return Unlabelled(
            self.weight + other.weight,
            self.predicted + other.predicted,
            self.variance + other.variance,
        )


def share_of_draw(
    labelled: Labelled, drawn: Array, drawn_out_of_fold: Array, rest: Unlabelled
) -> Estimate:
    """The share of a class in a draw, where each document has a weight in the draw.

    `drawn` are the weights of the labelled documents, `drawn_out_of_fold` those that they would
    have by a head that never saw their labels: a label moves the weight of its own document, so the
    first say nothing about unlabelled ones. Labelled documents count as known. Residuals are
    averaged as the unlabelled documents are drawn: by w° (1/π - 1), so certain rows drop out.
    """
    total = float(drawn.sum()) + rest.weight
    unseen = rest.weight / total
    counts = drawn_out_of_fold * (labelled.weights - 1).clip(0)
    residual = weighted_mean(labelled.truth - labelled.predicted, counts)
    correction = residual.value if residual.labels else 0.0
    value = (float(drawn @ labelled.truth) + rest.predicted) / total + unseen * correction
    shares = counts / counts.sum() if residual.labels else counts
    own = ((unseen * shares + drawn / total) ** 2) @ labelled.variances
    variance = unseen**2 * residual.variance + rest.variance / total**2 + float(own)
    return with_interval(value, variance, residual.labels, residual.effective)
