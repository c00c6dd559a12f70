"""Calibration by temperature (Guo et al. 2017, arXiv 1706.04599), towards the class shares.

The temperature divides what the logits add to the class shares, not the logits. So a head that
knows nothing ends at the shares, and not at equal probabilities. Those would foresee a rare class
far too often.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LOWEST, HIGHEST = -3.0, 4.0
"""The bounds of the logarithm of the temperature."""

PSEUDO = 0.5
"""Documents spread evenly over the values when shares are counted: no share is 0."""


@dataclass(frozen=True)
class Temperature:
    """softmax(log s + (logits - log s) / temperature), where s are the shares, less some doubt.

    The `doubt` is spread evenly over the values, as half a label more would be: the next text may
    be of any value, also of one that no label has.
    """

    temperature: Array
    shares: Array
    doubt: Array

    @classmethod
    def fit(cls, logits: Array, truth: Array, shares: Array) -> Temperature:
        """Fit the temperature of the lowest cross-entropy.

        Logits and posteriors are rows x values, the shares one for each value.
        """
        import numpy as np
        from scipy.optimize import minimize_scalar

        evidence = logits - np.log(shares)

        def loss(log_temperature: float) -> float:
            logs = log_softmax(np.log(shares) + evidence / np.exp(log_temperature))
            return float(-(truth * logs).sum())

        result = minimize_scalar(loss, bounds=(LOWEST, HIGHEST), method="bounded")
        return cls(np.array(np.exp(result.x)), shares, np.array(PSEUDO / (len(truth) + PSEUDO)))

    def __call__(self, logits: Array) -> Array:
        """The probabilities of logits, rows x values."""
        import numpy as np

        evidence = logits - np.log(self.shares)
        sure = np.exp(log_softmax(np.log(self.shares) + evidence / self.temperature))
        return np.asarray((1 - self.doubt) * sure + self.doubt / len(self.shares))


def shares_of(truth: Array) -> Array:
    """The share of each value in posteriors, rows x values; none is 0."""
    import numpy as np

    return np.asarray((truth.sum(axis=0) + PSEUDO / truth.shape[1]) / (len(truth) + PSEUDO))


def log_softmax(logits: Array) -> Array:
    """The logarithm of the softmax along the last axis."""
    import numpy as np

    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))
