"""Losses of predicted probabilities and of language models; formulas stand beside each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SAME = 1e-9
"""Probabilities that differ by less are equal."""

LEAST_PROBABILITY = 1e-12
"""A smaller probability of what came true counts as this one: no loss is infinite."""


@dataclass(frozen=True)
class TextLoss:
    """The loss of a language model on texts: L = -Σ ln P(next piece | those before), in nats.

    `bytes` are those of the texts in UTF-8, `tokens` the pieces that the model predicted. Models
    with other tokenizers compare by bytes alone: their tokens differ in length.
    """

    nats: float
    bytes: int
    tokens: int

    @property
    def per_byte(self) -> float:
        """Nats per byte: L / bytes."""
        return self.nats / self.bytes

    @property
    def bits_per_byte(self) -> float:
        """Bits per byte: L / (bytes · ln 2)."""
        return self.per_byte / log(2)

    @property
    def per_token(self) -> float:
        """Nats per token: L / tokens."""
        return self.nats / self.tokens

    @property
    def perplexity(self) -> float:
        """Perplexity: e^(L / tokens), the number of equally likely tokens that is as uncertain."""
        return exp(self.per_token)


def leaders(posterior: Array) -> NDArray[np.bool_]:
    """Whether a class has the largest probability of its item: items x classes."""
    import numpy as np

    return np.asarray(posterior > posterior.max(axis=1, keepdims=True) - SAME)


def cross_entropies(truth: Array, predicted: Array) -> Array:
    """The cross-entropy of each item, in nats: -Σ_c t_c ln p_c."""
    import numpy as np

    logs = np.log(np.clip(predicted, LEAST_PROBABILITY, 1))
    return np.asarray(-(truth * logs).sum(axis=1))


def cross_entropy(truth: Array, predicted: Array) -> float:
    """The mean cross-entropy of the predictions, in nats: -1/n Σ_i Σ_c t_ic ln p_ic."""
    return float(cross_entropies(truth, predicted).mean())


def briers(truth: Array, predicted: Array) -> Array:
    """The Brier score of each item: Σ_c (t_c - p_c)², from 0 to 2."""
    import numpy as np

    return np.asarray(((truth - predicted) ** 2).sum(axis=1))


def brier(truth: Array, predicted: Array) -> float:
    """The Brier score over all classes (Brier 1950): 1/n Σ_i Σ_c (t_ic - p_ic)², from 0 to 2.

    Of two classes it is twice the mean squared error of one.
    """
    return float(briers(truth, predicted).mean())


def mean_squared_error(truth: Array, predicted: Array, levels: Sequence[float]) -> float:
    """The mean squared distance of predicted mean ratings from those of the posteriors.

    1/n Σ_i (Σ_c l_c p_ic - Σ_c l_c t_ic)²; `levels` l are the ratings that the columns stand for.
    """
    return float(((means(predicted, levels) - means(truth, levels)) ** 2).mean())


def means(posterior: Array, levels: Sequence[float]) -> Array:
    """The mean rating of each item: Σ_c l_c p_c."""
    import numpy as np

    return np.asarray(posterior @ np.array(levels, np.float64))
