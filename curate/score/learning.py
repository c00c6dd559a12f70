"""Learn heads out of fold: inverse strength, temperature, and bootstrap resamples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.metrics import cross_entropy
from curate.score.calibration import fit_temperature, softmax
from curate.score.heads import Learn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

INVERSE_STRENGTHS = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 1.0)
"""Inverse strengths of regularisation to try; larger ones overfit a few hundred labels."""


@dataclass(frozen=True)
class Scored:
    """The predictions for every document (documents x values); out of fold where it has a label."""

    probabilities: Array
    inverse_strength: float
    temperature: float
    _resample: Callable[[], Array]

    def resampled(self, times: int) -> Iterator[Array]:
        """Yield the probabilities of heads learned from bootstrap resamples of the labels.

        The row of a labelled document is NaN if the resample holds it.
        """
        for _ in range(times):
            yield self._resample()


def fit(
    learn: Learn,
    vectors: NDArray[np.float32],
    rows: NDArray[np.int64],
    truth: Array,
    folds: NDArray[np.int64],
    rng: np.random.Generator,
) -> Scored:
    """Learn from the labelled `rows` and predict every row of `vectors`.

    `truth` holds posteriors, labelled rows x values; `folds` the fold of each labelled row. No head
    predicts a row whose label it saw. Two numbers are a little less strict: the inverse strength is
    chosen on all folds, and a fold's temperature is fitted on logits of heads that saw its labels.
    """
    import numpy as np

    inputs = scaled(vectors)
    labelled = inputs[rows]
    inverse_strength, logits = _best(learn, labelled, truth, folds)
    temperature = fit_temperature(logits, truth)
    probabilities = softmax(learn(labelled, truth, inverse_strength)(inputs) / temperature)
    for fold in np.unique(folds):
        inside = folds == fold
        fold_temperature = fit_temperature(logits[~inside], truth[~inside])
        probabilities[rows[inside]] = softmax(logits[inside] / fold_temperature)

    def resample() -> Array:
        sample = rng.integers(0, len(rows), len(rows))
        predict = learn(labelled[sample], truth[sample], inverse_strength)
        resampled = softmax(predict(inputs) / temperature)
        resampled[rows[sample]] = np.nan
        return resampled

    return Scored(probabilities, inverse_strength, temperature, resample)


def _best(
    learn: Learn, labelled: Array, truth: Array, folds: NDArray[np.int64]
) -> tuple[float, Array]:
    """Return the inverse strength of the lowest cross-entropy out of fold, and its logits."""
    candidates = []
    for inverse_strength in INVERSE_STRENGTHS:
        logits = out_of_fold(learn, labelled, truth, folds, inverse_strength)
        loss = cross_entropy(truth, softmax(logits / fit_temperature(logits, truth)))
        candidates.append((loss, inverse_strength, logits))
    _, inverse_strength, logits = min(candidates, key=lambda candidate: candidate[:2])
    return inverse_strength, logits


def out_of_fold(
    learn: Learn,
    labelled: Array,
    truth: Array,
    folds: NDArray[np.int64],
    inverse_strength: float,
) -> Array:
    """Return the logits of each labelled row, by a head that did not see its fold."""
    import numpy as np

    logits = np.empty_like(truth)
    for fold in np.unique(folds):
        inside = folds == fold
        predict = learn(labelled[~inside], truth[~inside], inverse_strength)
        logits[inside] = predict(labelled[inside])
    return logits


def scaled(vectors: NDArray[np.float32]) -> Array:
    """Return the vectors centred at 0, with an overall standard deviation of 1.

    All dimensions share one scale: separate scales would inflate those that hold only noise.
    """
    import numpy as np

    centred = vectors - vectors.mean(axis=0, dtype=np.float64)
    spread = float(np.sqrt((centred**2).mean()))
    return np.asarray(centred / spread if spread else centred, np.float64)
