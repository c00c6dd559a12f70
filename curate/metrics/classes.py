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

from curate.calibration_error import of_the_predicted
from curate.metrics.losses import brier, cross_entropy, leaders

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class ClassMetrics:
    """One class against the rest; the true class is the one of the largest posterior.

    precision = TP / (TP + FP), recall = TP / (TP + FN), F1 = 2 TP / (2 TP + FP + FN); each is 0
    where nothing is divided by nothing. `support` is the number of texts of the class, TP + FN; one
    of which t classes tie is 1/t of a text. `f1_low` and `f1_high` are the 95 % interval of F1,
    where one was drawn (see `bootstrap`).
    """

    value: str
    support: float
    precision: float
    recall: float
    f1: float
    f1_low: float | None = None
    f1_high: float | None = None


@dataclass(frozen=True)
class Confused:
    """How many texts of a class, by people, were predicted to be of a class."""

    people: str
    predicted: str
    texts: float


@dataclass(frozen=True)
class Bin:
    """Predictions of about the same confidence: mean confidence, accuracy, number."""

    confidence: float
    accuracy: float
    documents: int


@dataclass(frozen=True)
class Classification:
    """How well predictions fit the labels, beside the trivial baseline.

    `accuracy` is the share of texts whose predicted class is the true one. It is also F1 micro:
    with one class a text, Σ FP = Σ FN = the texts that are wrong. Macro figures are plain means
    over the classes that occur, however rare. `confusion` has the pairs that occur, the most
    frequent first.
    """

    documents: int
    accuracy: float
    macro_precision: float
    macro_recall: float
    macro_f1: float
    cross_entropy: float
    brier: float
    calibration_error: float
    trivial_accuracy: float
    trivial_cross_entropy: float
    classes: tuple[ClassMetrics, ...]
    bins: tuple[Bin, ...]
    confusion: tuple[Confused, ...]


def classification(
    truth: NDArray[np.float64], predicted: NDArray[np.float64], values: Sequence[str]
) -> Classification:
    """Every metric of the predictions, with entropy in nats.

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
        macro_precision=float(precision[seen].mean()),
        macro_recall=float(recall[seen].mean()),
        macro_f1=float(f1[seen].mean()),
        cross_entropy=cross_entropy(truth, predicted),
        brier=brier(truth, predicted),
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
        confusion=_confused(confusion(truth, predicted).sum(axis=0), values),
    )


def confusion(truth: NDArray[np.float64], predicted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each item's part of the confusion matrix: items x true classes x predicted classes.

    An item counts 1 in all, 1/t for each of t true classes that tie, under its likeliest class.
    """
    import numpy as np

    leading, guess = leaders(truth), predicted.argmax(axis=1)
    parts = np.zeros((*truth.shape, truth.shape[1]))
    parts[np.arange(len(truth)), :, guess] = leading / leading.sum(axis=1, keepdims=True)
    return parts


def _confused(matrix: NDArray[np.float64], values: Sequence[str]) -> tuple[Confused, ...]:
    pairs = [
        Confused(true, guessed, float(matrix[row, column]))
        for row, true in enumerate(values)
        for column, guessed in enumerate(values)
        if matrix[row, column]
    ]
    return tuple(sorted(pairs, key=lambda pair: -pair.texts))


def reliability(
    truth: NDArray[np.float64], predicted: NDArray[np.float64], *, bins: int = 10
) -> tuple[Bin, ...]:
    """Bins of equal size, in order of confidence.

    Accuracy is the mean posterior of the predicted class.
    """
    import numpy as np

    parts = min(bins, len(truth))
    columns = (np.array_split(own, parts) for own in of_the_predicted(truth, predicted))
    return tuple(
        Bin(float(confidence.mean()), float(accuracy.mean()), len(confidence))
        for confidence, accuracy in zip(*columns, strict=True)
    )
