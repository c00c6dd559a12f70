"""What is doubtful in predictions: weak models, few labels, quality that follows the source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from curate.metrics import Classification, leaders
from curate.score.labels import Labels
from curate.score.measuring import QualityScore
from curate.score.summing import Summed
from curate.warning import StageWarning, warn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEW = 50
"""With fewer labels the metrics say little."""

CONSTANT = 0.02
"""Qualities of a source with a smaller standard deviation hardly tell its documents apart."""

LEAST_WITHIN = 0.5
"""A rank correlation within sources of less than this part of the whole one is told."""

CLEAR = 0.2
"""A smaller rank correlation over all documents says nothing that could come from sources."""


def doubts(metrics: Classification, labels: Labels) -> Iterator[StageWarning]:
    """Yield a warning for each kind of doubt about a question; `metrics` are out of fold."""
    question, truth = labels.question.name, labels.truth[labels.settled]
    if is_no_better(metrics):
        words = (
            "the model of {question} is no better than the trivial baseline: accuracy "
            "{accuracy:.3f}, baseline {trivial:.3f}; cross-entropy {entropy:.3f}, baseline "
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
    if absent := _absent(truth, labels.values):
        words = "no label of {question} is {values}: the model cannot know it"
        yield warn("score.absent", words, question=question, values=absent)


def lost_labels(labels: Sequence[Labels]) -> Iterator[StageWarning]:
    """Yield a warning if labels of some question are of documents that `clean` has dropped."""
    if lost := max((own.lost for own in labels), default=0):
        words = "labelled documents that are not used, since `clean` has dropped them: {labels:,}"
        yield warn("score.lost", words, labels=lost)


def is_no_better(metrics: Classification) -> bool:
    """Whether the trivial baseline does as well, by its answers or by its probabilities."""
    return (
        metrics.accuracy <= metrics.trivial_accuracy
        or metrics.cross_entropy >= metrics.trivial_cross_entropy
    )


def _absent(truth: NDArray[np.float64], values: tuple[str, ...]) -> list[str]:
    leading = leaders(truth)
    return [value for place, value in enumerate(values) if not leading[:, place].any()]


def quality_doubts(quality: QualityScore, summed: Summed) -> Iterator[StageWarning]:
    """Yield a warning where quality hardly varies in a source, or follows the source alone."""
    constant = [
        name
        for name, facts in sorted(summed.by_source.items())
        if facts.known > 1 and facts.spread < CONSTANT
    ]
    if constant:
        words = "quality hardly varies within {sources}: it hardly distinguishes their documents"
        yield warn("score.constant", words, sources=constant)
    within = list(quality.within.values())
    if quality.spearman is None or quality.spearman < CLEAR or not within:
        return
    mean = sum(within) / len(within)
    if len(summed.by_source) > 1 and mean < LEAST_WITHIN * quality.spearman:
        words = (
            "quality follows the source more than the text: its rank correlation with people's "
            "labels is {spearman:.2f} over all, {within:.2f} within sources (`centre_by: source` "
            "learns from differences within them)"
        )
        yield warn("score.domain", words, spearman=quality.spearman, within=mean)
