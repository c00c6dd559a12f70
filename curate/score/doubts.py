"""What is doubtful in predictions: a model that knows nothing, few labels, answers without any."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from curate.metrics import Classification, leaders
from curate.warning import StageWarning, warn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEW = 50
"""With fewer labels the metrics say little."""


def doubts(
    question: str,
    metrics: Classification,
    truth: NDArray[np.float64],
    values: tuple[str, ...],
    lost: int,
) -> Iterator[StageWarning]:
    """Yield a warning for each kind of doubt.

    `truth` holds the posteriors of the labels, documents x `values`. `lost` counts labelled
    documents that `clean` has dropped.
    """
    if is_no_better(metrics):
        words = (
            "the model of {question} is no better than the trivial baseline: accuracy "
            "{accuracy:.3f} beside {trivial:.3f}, cross-entropy {entropy:.3f} beside "
            "{trivial_entropy:.3f}"
        )
        yield warn(
            "score.no_better",
            words,
            question=question,
            accuracy=metrics.accuracy,
            trivial=metrics.trivial_accuracy,
            entropy=metrics.cross_entropy,
            trivial_entropy=metrics.trivial_cross_entropy,
        )
    if len(truth) < FEW:
        words = "the model of {question} is learned from {labels} labels only"
        yield warn("score.few_labels", words, question=question, labels=len(truth))
    leading = leaders(truth)
    if absent := [value for place, value in enumerate(values) if not leading[:, place].any()]:
        words = "no label of {question} is {values}: the model cannot know it"
        yield warn("score.absent", words, question=question, values=absent)
    if lost:
        words = "labelled documents that teach nothing, since `clean` has dropped them: {labels:,}"
        yield warn("score.lost", words, labels=lost)


def is_no_better(metrics: Classification) -> bool:
    """Whether the trivial baseline does as well, by its answers or by its probabilities."""
    return (
        metrics.accuracy <= metrics.trivial_accuracy
        or metrics.cross_entropy >= metrics.trivial_cross_entropy
    )
