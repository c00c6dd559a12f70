"""How good predictions are out of fold: each question, and quality beside people's labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from curate.annotated.quality import Quality
from curate.calibration_error import CalibrationError, calibration_error
from curate.heads.choosing import Figures
from curate.metrics import Classification, classification, mean_squared_error
from curate.metrics.measures import Measure, of_classes
from curate.score.labelled import Labelled
from curate.score.labels import Labels
from curate.score.learning import Model
from curate.score.scorer import joined
from curate.score.spec import WindowsSpec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEAST = 20
"""With fewer labels a source has no correlation of its own."""


@dataclass(frozen=True)
class QuestionScore:
    """How one question was learned, and how well it is predicted out of fold.

    `decision` says whether the predicted value is the likeliest (`none`), or weighs rare values up
    (`root`, `balanced`). Of the labels, some are `undecided`: they count by their posterior, and
    are in no metric. `calibration` is the expected calibration error with its 90 % interval, and
    how likely chance alone makes it so large. `squared_error` is that of mean ratings; None for
    other kinds. `candidates` are all heads that could be chosen, with their figures out of fold.
    `measures` are those of comparisons with their intervals; `evaluate` has those of documents.
    """

    question: str
    kind: str
    encoder: str | None
    features: str
    inverse_strength: float
    decision: str
    labels: int
    undecided: int
    accuracy: float
    trivial_accuracy: float
    macro_f1: float
    cross_entropy: float
    trivial_cross_entropy: float
    brier: float
    squared_error: float | None
    calibration: CalibrationError
    candidates: tuple[Figures, ...]
    metrics: Classification
    measures: tuple[Measure, ...]


@dataclass(frozen=True)
class QualityScore:
    """How the predicted quality of labelled documents fits that of their labels, out of fold.

    `spearman` is the rank correlation over all `documents`, `within` that inside each source with
    at least 20 of them. A high one over all beside low ones within says that quality follows the
    source. `squared_error` is the mean squared difference, `half_width` that of `low` and `high`.
    """

    documents: int
    mean: float | None
    spearman: float | None
    within: Mapping[str, float]
    squared_error: float | None
    half_width: float | None


def question_score(model: Model) -> QuestionScore:
    """The figures of one question."""
    labels, learned = model.labels, model.learned
    settled = labels.settled
    truth, predicted, values = compared(model)
    metrics = classification(truth[settled], predicted[settled], values)
    return QuestionScore(
        question=model.name,
        kind=labels.question.kind,
        encoder=learned.encoder,
        features=learned.choice.features,
        inverse_strength=learned.choice.inverse_strength,
        decision=learned.choice.class_weight,
        labels=len(labels.ids),
        undecided=int((~settled).sum()),
        accuracy=metrics.accuracy,
        trivial_accuracy=metrics.trivial_accuracy,
        macro_f1=metrics.macro_f1,
        cross_entropy=metrics.cross_entropy,
        trivial_cross_entropy=metrics.trivial_cross_entropy,
        brier=metrics.brier,
        squared_error=_squared_error(labels, truth[settled], predicted[settled]),
        calibration=calibration_error(truth[settled], predicted[settled]),
        candidates=learned.choice.candidates,
        metrics=metrics,
        measures=(() if labels.is_of_documents else of_classes(truth[settled], predicted[settled])),
    )


def _squared_error(labels: Labels, truth: Array, predicted: Array) -> float | None:
    """The mean squared error of mean ratings, in levels; None for other kinds of questions."""
    if labels.question.kind != "rating":
        return None
    return mean_squared_error(truth, predicted, [float(value) for value in labels.values])


def compared(model: Model) -> tuple[Array, Array, tuple[str, ...]]:
    """The posteriors of the labels, the predictions out of fold, and their values.

    A comparison has two values; a tie is half of each.
    """
    import numpy as np

    labels, predicted = model.labels, model.out_of_fold.probabilities
    if labels.is_of_documents:
        return labels.truth, predicted, labels.values
    ties = labels.truth[:, 2:].sum(axis=1, keepdims=True)
    return labels.truth[:, :2] + ties / 2, np.hstack([predicted, 1 - predicted]), labels.values[:2]


@dataclass(frozen=True)
class Known:
    """Labelled documents with a quality by people and one out of fold.

    `rows` are their places among the labelled documents.
    """

    rows: NDArray[np.int64]
    truth: Array
    predicted: Array


def known_qualities(
    quality: Quality | None, models: Sequence[Model], windows: WindowsSpec | None = None
) -> Known | None:
    """The qualities of documents that are settled in all questions that quality follows from.

    What is predicted is joined from windows as it is for every document. None without such a
    quality: comparisons say nothing of one document.
    """
    import numpy as np

    if quality is None:
        return None
    own = [model for model in models if model.name in quality.questions]
    if not all(model.labels.is_of_documents for model in own):
        return None
    settled = [model.labels.members[model.labels.settled, 0] for model in own]
    rows = settled[0]
    for others in settled[1:]:
        rows = np.intersect1d(rows, others)
    places = {model.name: _places(model, rows) for model in own}
    truth = quality({model.name: model.labels.truth[places[model.name]] for model in own})
    pieces = {model.name: model.in_pieces.take(places[model.name]) for model in own}
    of_pieces = quality({name: one.predicted.probabilities for name, one in pieces.items()})
    starts = pieces[own[0].name].starts
    return Known(rows, truth, joined(of_pieces, starts, windows))


def _places(model: Model, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where documents stand among the labels of a question."""
    import numpy as np

    members = model.labels.members[:, 0]
    order = np.argsort(members)
    return np.asarray(order[np.searchsorted(members, rows, sorter=order)])


def figures_of(measured: Sequence[QuestionScore]) -> dict[str, dict[str, Any]]:
    """What the record of `scores` says of how well each question is predicted."""
    names = ("labels", "accuracy", "cross_entropy", "trivial_accuracy", "trivial_cross_entropy")
    return {
        own.question: {name: getattr(own, name) for name in names}
        | {"measures": [asdict(measure) for measure in own.measures]}
        for own in measured
    }


def quality_score(
    known: Known | None, labelled: Labelled, half_width: float | None
) -> QualityScore:
    """The figures of the quality of labelled documents; `mean` is that of all, known later."""
    import numpy as np

    if known is None or not len(known.rows):
        return QualityScore(0, None, None, {}, None, half_width)
    sources = labelled.groups["source"][known.rows]
    within = {
        str(name): correlation
        for name in np.unique(sources)
        if (sources == name).sum() >= LEAST
        for correlation in [
            spearman(known.truth[sources == name], known.predicted[sources == name])
        ]
        if correlation is not None
    }
    return QualityScore(
        documents=len(known.rows),
        mean=None,
        spearman=spearman(known.truth, known.predicted),
        within=within,
        squared_error=float(((known.truth - known.predicted) ** 2).mean()),
        half_width=half_width,
    )


def spearman(one: Array, other: Array) -> float | None:
    """Spearman's rank correlation; None where one side does not vary."""
    import numpy as np
    from scipy.stats import spearmanr

    if len(one) < 3 or np.ptp(one) < 1e-12 or np.ptp(other) < 1e-12:
        return None
    return float(spearmanr(one, other).statistic)
