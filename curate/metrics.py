"""Classification metrics on soft labels, beside the trivial baseline.

`truth` holds posteriors (items x classes): a text on which people disagree counts for each class
by its share. Where t classes tie, each is the true one by 1/t: their order decides nothing.
`predicted` holds probabilities of the same shape. The trivial baseline predicts the class shares
for every text, so its accuracy is the share of the largest class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAME = 1e-9
"""Probabilities that differ by less are equal."""


@dataclass(frozen=True)
class ClassMetrics:
    """One class against the rest; the true class is the one of the largest posterior.

    `support` is the number of texts of the class; one of which t classes tie is 1/t of a text.
    """

    value: str
    support: float
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Bin:
    """Predictions of about the same confidence: mean confidence, accuracy, number."""

    confidence: float
    accuracy: float
    documents: int


@dataclass(frozen=True)
class Classification:
    """How well predictions fit the labels, beside the trivial baseline."""

    documents: int
    accuracy: float
    macro_recall: float
    macro_f1: float
    cross_entropy: float
    brier: float
    calibration_error: float
    trivial_accuracy: float
    trivial_cross_entropy: float
    classes: tuple[ClassMetrics, ...]
    bins: tuple[Bin, ...]


def classification(
    truth: NDArray[np.float64], predicted: NDArray[np.float64], values: Sequence[str]
) -> Classification:
    """Return every metric of the predictions, with entropy in nats.

    Macro averages are over the classes that occur.
    """
    import numpy as np
    from sklearn.metrics import precision_recall_fscore_support

    leading, guess = leaders(truth), predicted.argmax(axis=1)
    credit, texts = leading / leading.sum(axis=1, keepdims=True), np.arange(len(truth))
    rows, classes = np.nonzero(leading)
    precision, recall, f1, support = precision_recall_fscore_support(
        classes,
        guess[rows],
        labels=range(len(values)),
        sample_weight=credit[rows, classes],
        zero_division=0.0,
    )
    seen = support > 0
    bins = reliability(truth, predicted)
    prior = truth.mean(axis=0, keepdims=True).repeat(len(truth), axis=0)
    return Classification(
        documents=len(truth),
        accuracy=float(credit[texts, guess].mean()),
        macro_recall=float(recall[seen].mean()),
        macro_f1=float(f1[seen].mean()),
        cross_entropy=cross_entropy(truth, predicted),
        brier=float(((truth - predicted) ** 2).sum(axis=1).mean()),
        calibration_error=sum(
            part.documents * abs(part.confidence - part.accuracy) for part in bins
        )
        / len(truth),
        trivial_accuracy=float(credit[texts, prior.argmax(axis=1)].mean()),
        trivial_cross_entropy=cross_entropy(truth, prior),
        classes=tuple(
            ClassMetrics(
                value=value,
                support=float(support[place]),
                precision=float(precision[place]),
                recall=float(recall[place]),
                f1=float(f1[place]),
            )
            for place, value in enumerate(values)
        ),
        bins=bins,
    )


def leaders(posterior: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether a class has the largest probability of its item: items x classes."""
    import numpy as np

    return np.asarray(posterior > posterior.max(axis=1, keepdims=True) - SAME)


def cross_entropy(truth: NDArray[np.float64], predicted: NDArray[np.float64]) -> float:
    """Return the mean cross-entropy of the predictions, in nats."""
    import numpy as np

    return float(-(truth * np.log(np.clip(predicted, 1e-12, 1))).sum(axis=1).mean())


def mean_squared_error(
    truth: NDArray[np.float64], predicted: NDArray[np.float64], levels: Sequence[float]
) -> float:
    """Return the mean squared distance of predicted mean ratings from those of the posteriors.

    `levels` are the ratings that the columns stand for.
    """
    import numpy as np

    return float((((predicted - truth) @ np.array(levels, np.float64)) ** 2).mean())


def reliability(
    truth: NDArray[np.float64], predicted: NDArray[np.float64], *, bins: int = 10
) -> tuple[Bin, ...]:
    """Return bins of equal size, in order of confidence.

    Accuracy is the mean posterior of the predicted class.
    """
    import numpy as np

    guess = predicted.argmax(axis=1)
    rows = np.arange(len(guess))
    confidence, accuracy = predicted[rows, guess], truth[rows, guess]
    parts = np.array_split(np.argsort(confidence, kind="stable"), min(bins, len(guess)))
    return tuple(
        Bin(float(confidence[part].mean()), float(accuracy[part].mean()), len(part))
        for part in parts
    )
