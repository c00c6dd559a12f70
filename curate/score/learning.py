"""Learn heads out of fold: inverse strength, temperature, and bootstrap resamples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.metrics import cross_entropy
from curate.score.calibration import fit_temperature, softmax
from curate.score.heads import Head, Learn, predict
from curate.score.quality import Quality, spread
from curate.score.scaling import Scale

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

INVERSE_STRENGTHS = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 1.0)
"""Inverse strengths of regularisation to try; larger ones overfit a few hundred labels."""


@dataclass(frozen=True)
class Lesson:
    """What heads learn from: labelled vectors, scaled; posteriors, rows x values; and folds."""

    vectors: Array
    truth: Array
    folds: NDArray[np.int64]


@dataclass(frozen=True)
class Heads:
    """A head with its temperature, and heads learned from bootstrap resamples of the labels."""

    head: Head
    inverse_strength: float
    temperature: float
    resampled: tuple[Head, ...] = ()


@dataclass(frozen=True)
class Learned:
    """What was learned of one question: a small value that travels to workers.

    `values` are the answers, in the order of the logits. Without a `quality` no head is resampled.
    """

    question: str
    values: tuple[str, ...]
    scale: Scale
    heads: Heads
    quality: Quality | None = None


@dataclass(frozen=True)
class Predictions:
    """The probabilities of some documents (documents x values), their quality and its spread.

    `quality` is 3 x documents: itself, low, high (see QUANTILES); None without a quality.
    """

    probabilities: Array
    quality: Array | None

    def take(self, rows: NDArray[np.int64]) -> Predictions:
        """The predictions of some of the documents."""
        quality = None if self.quality is None else self.quality[:, rows]
        return Predictions(self.probabilities[rows], quality)

    def put(self, rows: NDArray[np.int64], others: Predictions) -> None:
        """Replace the predictions of some of the documents."""
        self.probabilities[rows] = others.probabilities
        if self.quality is not None:
            self.quality[:, rows] = others.quality


def learn_heads(
    learn: Learn, lesson: Lesson, quality: Quality | None, resamples: int, rng: np.random.Generator
) -> tuple[Heads, Predictions]:
    """Learn from labels; return the heads, and the predictions of the labelled rows.

    No head predicts a row whose label it saw. Two numbers are a little less strict: the inverse
    strength is chosen on all folds, and a fold's temperature is fitted on logits of heads that saw
    its labels.
    """
    import numpy as np

    strength, logits = _best(learn, lesson)
    temperature = fit_temperature(logits, lesson.truth)
    head = learn(lesson.vectors, lesson.truth, strength)
    probabilities = _calibrated(logits, lesson)
    if quality is None:
        return Heads(head, strength, temperature), Predictions(probabilities, None)
    resampled, samples = [], []
    for _ in range(resamples):
        own, seen = resample(learn, lesson, strength, rng)
        sample = quality(softmax(predict(own, lesson.vectors) / temperature))
        sample[seen] = np.nan
        resampled.append(own)
        samples.append(sample)
    qualities = spread(quality(probabilities), np.stack(samples))
    heads = Heads(head, strength, temperature, tuple(resampled))
    return heads, Predictions(probabilities, qualities)


def _calibrated(logits: Array, lesson: Lesson) -> Array:
    """The probabilities out of fold, each fold with the temperature of the others."""
    import numpy as np

    probabilities = np.empty_like(logits)
    for fold in np.unique(lesson.folds):
        inside = lesson.folds == fold
        temperature = fit_temperature(logits[~inside], lesson.truth[~inside])
        probabilities[inside] = softmax(logits[inside] / temperature)
    return probabilities


def resample(
    learn: Learn, lesson: Lesson, inverse_strength: float, rng: np.random.Generator
) -> tuple[Head, NDArray[np.int64]]:
    """Learn a head from a bootstrap resample of the labels; return it with the rows it saw."""
    rows = rng.integers(0, len(lesson.truth), len(lesson.truth))
    return learn(lesson.vectors[rows], lesson.truth[rows], inverse_strength), rows


def _best(learn: Learn, lesson: Lesson) -> tuple[float, Array]:
    """The inverse strength of the lowest cross-entropy out of fold, and its logits."""
    candidates = []
    for inverse_strength in INVERSE_STRENGTHS:
        logits = out_of_fold(learn, lesson, inverse_strength)
        temperature = fit_temperature(logits, lesson.truth)
        loss = cross_entropy(lesson.truth, softmax(logits / temperature))
        candidates.append((loss, inverse_strength, logits))
    _, inverse_strength, logits = min(candidates, key=lambda candidate: candidate[:2])
    return inverse_strength, logits


def out_of_fold(learn: Learn, lesson: Lesson, inverse_strength: float) -> Array:
    """Return the logits of each labelled row, by a head that did not see its fold."""
    import numpy as np

    logits = np.empty_like(lesson.truth)
    for fold in np.unique(lesson.folds):
        inside = lesson.folds == fold
        head = learn(lesson.vectors[~inside], lesson.truth[~inside], inverse_strength)
        logits[inside] = predict(head, lesson.vectors[inside])
    return logits
