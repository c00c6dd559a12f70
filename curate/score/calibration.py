"""Calibration by temperature (Guo et al. 2017, arXiv 1706.04599)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curate.metrics import cross_entropy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


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
