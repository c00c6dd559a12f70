"""Heads on embeddings: one for choices, one for ratings; both predict a logit for every value.

A head learns from soft labels (posteriors of truth inference). Cross-validation on the labels
chooses the inverse strength of its regularisation (`C` in scikit-learn). Its temperature is fitted
on predictions out of fold (Guo et al. 2017, arXiv 1706.04599).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Predict = Callable[["Array"], "Array"]
"""Vectors → logits, documents x values."""

Learn = Callable[["Array", "Array", float], Predict]
"""Vectors, posteriors and inverse strength of regularisation → a head."""

_ABSENT = -30.0
"""The logit of a value without labels, and the lowest of any."""


def choice_head(values: Sequence[str]) -> Learn:
    """Return the learner for a choice: multinomial logistic regression on weighted labels."""

    def learn(vectors: Array, truth: Array, inverse_strength: float) -> Predict:
        import numpy as np
        from sklearn.linear_model import LogisticRegression

        rows, classes = np.nonzero(truth > 1e-6)
        present = np.unique(classes)
        model = LogisticRegression(C=inverse_strength, max_iter=1000)
        if len(present) > 1:
            model.fit(vectors[rows], classes, sample_weight=truth[rows, classes])

        def predict(inputs: Array) -> Array:
            logits = np.full((len(inputs), len(values)), _ABSENT)
            # A fold or a resample may hold only one class; the head then always predicts it.
            logits[:, present] = model.predict_log_proba(inputs) if len(present) > 1 else 0.0
            return np.asarray(np.maximum(logits, _ABSENT))

        return predict

    return learn


def rating_head(values: Sequence[str]) -> Learn:
    """Return the learner for a rating: ridge regression on the mean.

    The logits are those of a normal distribution around the predicted mean; the temperature is
    its variance.
    """

    def learn(vectors: Array, truth: Array, inverse_strength: float) -> Predict:
        import numpy as np
        from sklearn.linear_model import Ridge

        levels = np.array([float(value) for value in values])
        shares = truth / truth.sum(axis=1, keepdims=True)
        model = Ridge(alpha=1 / inverse_strength).fit(vectors, shares @ levels)

        def predict(inputs: Array) -> Array:
            return np.asarray(-((levels - model.predict(inputs)[:, None]) ** 2) / 2)

        return predict

    return learn


LEARNERS: dict[str, Callable[[Sequence[str]], Learn]] = {
    "choice": choice_head,
    "rating": rating_head,
}
