"""Heads on embeddings: one for choices, one for ratings; both predict a logit for every value.

A head learns from soft labels (posteriors of truth inference). Cross-validation on the labels
chooses the inverse strength of its regularisation (`C` in scikit-learn). Its temperature is fitted
on predictions out of fold (Guo et al. 2017, arXiv 1706.04599). A learned head is a small value of
arrays: it travels to workers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_ABSENT = -30.0
"""The logit of a value without labels, and the lowest of any."""


class Head(Protocol):
    """What was learned: linear outputs of vectors, and the logits that follow from them."""

    @property
    def weights(self) -> Array:
        """The weights of the outputs: dimensions x outputs."""
        ...

    @property
    def bias(self) -> Array:
        """What is added to each output."""
        ...

    def logits(self, outputs: Array) -> Array:
        """The logit of each value, from `vectors @ weights + bias`: documents x values."""
        ...


Learn = Callable[["Array", "Array", float], Head]
"""Vectors, posteriors and inverse strength of regularisation → a head."""


def predict(head: Head, vectors: Array) -> Array:
    """Return the logits of a head for vectors: documents x values."""
    return head.logits(vectors @ head.weights + head.bias)


@dataclass(frozen=True)
class ChoiceHead:
    """Multinomial logistic regression: an output for each value that had labels (`present`)."""

    weights: Array
    bias: Array
    present: NDArray[np.int64]
    values: int

    def logits(self, outputs: Array) -> Array:
        """The log-softmax of the outputs; values without labels get the lowest logit."""
        import numpy as np

        logits = np.full((len(outputs), self.values), _ABSENT)
        shifted = outputs - outputs.max(axis=1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        logits[:, self.present] = np.maximum(logs, _ABSENT)
        return logits


@dataclass(frozen=True)
class RatingHead:
    """Ridge regression on the mean: one output.

    The logits are those of a normal distribution around the predicted mean; the temperature is
    its variance.
    """

    weights: Array
    bias: Array
    levels: Array

    def logits(self, outputs: Array) -> Array:
        """The log-density of each level, up to a constant, at variance 1."""
        return -((self.levels - outputs) ** 2) / 2


def choice_head(values: Sequence[str]) -> Learn:
    """Return the learner for a choice: logistic regression on weighted labels."""

    def learn(vectors: Array, truth: Array, inverse_strength: float) -> Head:
        import numpy as np
        from sklearn.linear_model import LogisticRegression

        rows, classes = np.nonzero(truth > 1e-6)
        present = np.unique(classes)
        if len(present) == 1:  # a fold or a resample may hold only one: it is always predicted
            return ChoiceHead(np.zeros((vectors.shape[1], 1)), np.zeros(1), present, len(values))
        model = LogisticRegression(C=inverse_strength, max_iter=1000)
        model.fit(vectors[rows], classes, sample_weight=truth[rows, classes])
        weights, bias = model.coef_.T, model.intercept_
        if len(present) == 2:  # of two values only the second has weights
            weights, bias = np.hstack([0 * weights, weights]), np.append(0.0, bias)
        return ChoiceHead(weights, bias, present, len(values))

    return learn


def rating_head(values: Sequence[str]) -> Learn:
    """Return the learner for a rating: ridge regression on the mean."""

    def learn(vectors: Array, truth: Array, inverse_strength: float) -> Head:
        import numpy as np
        from sklearn.linear_model import Ridge

        levels = np.array([float(value) for value in values])
        shares = truth / truth.sum(axis=1, keepdims=True)
        model = Ridge(alpha=1 / inverse_strength).fit(vectors, shares @ levels)
        return RatingHead(model.coef_[:, None], np.array([model.intercept_]), levels)

    return learn


LEARNERS: dict[str, Callable[[Sequence[str]], Learn]] = {
    "choice": choice_head,
    "rating": rating_head,
}
