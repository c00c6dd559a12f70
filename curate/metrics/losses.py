"""Losses of predicted probabilities and of language models; formulas stand beside each."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SAME = 1e-9
"""Probabilities that differ by less are equal."""

LEAST_PROBABILITY = 1e-12
"""A smaller probability of what came true counts as this one: no loss is infinite."""


def per_unit(nats: float, units: float) -> float:
    """The loss of a language model on texts, L / units, of L = -Σ ln P(next piece | those before).

    `units` are bytes of the texts in UTF-8, or the tokens that the model predicted. Models with
    other tokenizers compare by bytes alone: their tokens differ in length.
    """
    return nats / units


def perplexity(nats: float) -> float:
    """Perplexity: e^(nats a token), the number of equally likely tokens that is as uncertain."""
    return exp(nats)


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
