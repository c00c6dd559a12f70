"""Learn heads out of fold: strength, temperature, and bootstrap resamples."""

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

STRENGTHS = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 1.0)
"""Inverse strengths of regularisation to choose from; larger ones overfit a few hundred labels."""


@dataclass(frozen=True)
class Scored:
    """What the heads say of every document: out of fold where it has a label."""

    probabilities: Array
    strength: float
    temperature: float
    _resample: Callable[[], Array]

    def resampled(self, times: int) -> Iterator[Array]:
        """Yield probabilities by heads learned from bootstrap resamples of the labels.

        Rows of labelled documents are NaN where the resample holds them.
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
    predicts a row whose label it saw. Two numbers are a little less strict: the strength is chosen
    on all folds, and a fold's temperature is fitted on logits of heads that saw its labels.
    """
    import numpy as np

    everything = scaled(vectors)
    known = everything[rows]
    strength, loose = _best(learn, known, truth, folds)
    temperature = fit_temperature(loose, truth)
    probabilities = softmax(learn(known, truth, strength)(everything) / temperature)
    for fold in np.unique(folds):
        own = folds == fold
        probabilities[rows[own]] = softmax(loose[own] / fit_temperature(loose[~own], truth[~own]))

    def resample() -> Array:
        drawn = rng.integers(0, len(rows), len(rows))
        guessed = softmax(learn(known[drawn], truth[drawn], strength)(everything) / temperature)
        guessed[rows[drawn]] = np.nan
        return guessed

    return Scored(probabilities, strength, temperature, resample)


def _best(
    learn: Learn, known: Array, truth: Array, folds: NDArray[np.int64]
) -> tuple[float, Array]:
    """Return the strength of the lowest cross-entropy out of fold, and its logits."""
    tried = []
    for strength in STRENGTHS:
        logits = out_of_fold(learn, known, truth, folds, strength)
        loss = cross_entropy(truth, softmax(logits / fit_temperature(logits, truth)))
        tried.append((loss, strength, logits))
    _, strength, logits = min(tried, key=lambda each: each[:2])
    return strength, logits


def out_of_fold(
    learn: Learn, known: Array, truth: Array, folds: NDArray[np.int64], strength: float
) -> Array:
    """Return logits for each labelled row by a head that did not see its fold."""
    import numpy as np

    logits = np.empty_like(truth)
    for fold in np.unique(folds):
        own = folds == fold
        logits[own] = learn(known[~own], truth[~own], strength)(known[own])
    return logits


def scaled(vectors: NDArray[np.float32]) -> Array:
    """Return the vectors around 0, with an overall spread of 1.

    One scale for all dimensions: each its own would blow up those that hold but noise.
    """
    import numpy as np

    centred = vectors - vectors.mean(axis=0, dtype=np.float64)
    spread = float(np.sqrt((centred**2).mean()))
    return np.asarray(centred / spread if spread else centred, np.float64)
