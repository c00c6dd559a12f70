"""The decision for one value, apart from its probability: classes weighted or not.

The value decided is that of the largest probability times weight. With balanced weights, one over a
value's share among the labels, this is the best decision for the mean recall of the values (Menon
et al. 2021, arXiv 2007.07314). The probabilities stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from curate.heads.calibration.temperature import shares_of
from curate.heads.scores import macro_f1

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

EXPONENTS: Mapping[str, float] = {"none": 0.0, "root": 0.5, "balanced": 1.0}
"""The power of 1 / share that is a value's weight."""


def log_weights(name: str, truth: Array) -> Array:
    """The logarithm of each value's weight, by posteriors (rows x values)."""
    import numpy as np

    return -EXPONENTS[name] * np.log(shares_of(truth))


def choose_weights(logits: Array, truth: Array, settled: NDArray[np.bool_]) -> str:
    """The class weights of the best macro-F1 out of fold; of equal ones, the first."""

    def figure(name: str) -> float:
        weighted = logits + log_weights(name, truth)
        return macro_f1(weighted[settled].argmax(axis=1), truth[settled])

    return max(EXPONENTS, key=figure)
