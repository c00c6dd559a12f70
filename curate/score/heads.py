"""Heads on embeddings: one for choices, one for ratings; both give a probability for every value.

A head learns from soft labels (posteriors of truth inference). Its strength of regularisation is
chosen by cross-validation on the labels, its temperature fitted on predictions out of fold
(Guo et al. 2017, arXiv 1706.04599).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.metrics import cross_entropy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Predict = Callable[["Array"], "Array"]
"""Vectors → logits, documents x values."""

Learn = Callable[["Array", "Array", float], Predict]
"""Vectors, posteriors and strength → a head."""

STRENGTHS = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 1.0)
"""Inverse strengths of regularisation to choose from; larger ones overfit a few hundred labels."""

_ABSENT = -30.0


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


def choice_head(values: Sequence[str]) -> Learn:
    """Return how a choice is learned: multinomial logistic regression on weighted labels."""

    def learn(vectors: Array, truth: Array, strength: float) -> Predict:
        import numpy as np
        from sklearn.linear_model import LogisticRegression

        rows, classes = np.nonzero(truth > 1e-6)
        present = np.unique(classes)
        model = LogisticRegression(C=strength, max_iter=1000)
        if len(present) > 1:
            model.fit(vectors[rows], classes, sample_weight=truth[rows, classes])

        def predict(these: Array) -> Array:
            logits = np.full((len(these), len(values)), _ABSENT)
            # A fold or a resample may hold one class only: then that one is all it knows.
            logits[:, present] = model.predict_log_proba(these) if len(present) > 1 else 0.0
            return np.asarray(np.maximum(logits, _ABSENT))

        return predict

    return learn


def rating_head(values: Sequence[str]) -> Learn:
    """Return how a rating is learned: ridge regression on the mean.

    The logits are those of a normal distribution around it; the temperature is its variance.
    """

    def learn(vectors: Array, truth: Array, strength: float) -> Predict:
        import numpy as np
        from sklearn.linear_model import Ridge

        levels = np.array([float(value) for value in values])
        shares = truth / truth.sum(axis=1, keepdims=True)
        model = Ridge(alpha=1 / strength).fit(vectors, shares @ levels)

        def predict(these: Array) -> Array:
            return np.asarray(-((levels - model.predict(these)[:, None]) ** 2) / 2)

        return predict

    return learn


LEARNERS: dict[str, Callable[[Sequence[str]], Learn]] = {
    "choice": choice_head,
    "rating": rating_head,
}


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


def fit_temperature(logits: Array, truth: Array) -> float:
    """Return the temperature at which the logits have the lowest cross-entropy."""
    import numpy as np
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda log: cross_entropy(truth, softmax(logits / np.exp(log))),
        bounds=(-3.0, 4.0),
        method="bounded",
    )
    return float(np.exp(found.x))


def softmax(logits: Array) -> Array:
    """Return probabilities, row by row."""
    import numpy as np

    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
