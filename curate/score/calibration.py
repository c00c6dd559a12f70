"""Calibration by temperature (Guo et al. 2017, arXiv 1706.04599)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curate.metrics import cross_entropy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def fit_temperature(logits: Array, truth: Array) -> float:
    """Return the temperature that gives the logits the lowest cross-entropy.

    The search is between e^-3 and e^4.
    """
    import numpy as np
    from scipy.optimize import minimize_scalar

    result = minimize_scalar(
        lambda log_temperature: cross_entropy(truth, softmax(logits / np.exp(log_temperature))),
        bounds=(-3.0, 4.0),
        method="bounded",
    )
    return float(np.exp(result.x))


def softmax(logits: Array) -> Array:
    """Return the softmax of each row."""
    import numpy as np

    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
