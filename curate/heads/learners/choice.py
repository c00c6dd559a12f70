"""Choices: multinomial logistic regression on posteriors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.heads.calibration.temperature import Temperature, log_softmax, shares_of
from curate.heads.learners.linear import Linear, Taught, minimise

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Choices:
    """One output for each value: its logit."""

    values: tuple[str, ...]
    name: str = "logistic"

    def fit(
        self, taught: Taught, inverse_strength: float, start: Linear | None, tolerance: float
    ) -> Linear:
        """Minimise the cross-entropy against the posteriors."""
        import numpy as np

        rows = taught.anchored()
        size = len(self.values)
        begin = np.zeros((taught.features.shape[1], size)) if start is None else start.weights

        def loss(outputs: Array) -> tuple[float, Array]:
            logs = log_softmax(outputs)
            entropy = -np.einsum("i,ij,ij", rows.weights, rows.truth, logs)
            return float(entropy), rows.weights[:, None] * (np.exp(logs) - rows.truth)

        curvature = (1 - 1 / size) / size
        weights, bias = minimise(loss, rows, size, inverse_strength, curvature, begin, tolerance)
        return Linear(weights, bias)

    def logits(self, outputs: Array) -> Array:
        """The logarithms of the probabilities."""
        return log_softmax(outputs)

    def losses(self, logits: Array, truth: Array) -> Array:
        """The cross-entropy of each row at the best temperature."""
        import numpy as np

        probabilities = Temperature.fit(logits, truth, self.shares(truth))(logits)
        return np.asarray(-(truth * np.log(np.maximum(probabilities, 1e-12))).sum(axis=1))

    def shares(self, truth: Array) -> Array:
        """The share of each value; none is 0."""
        return shares_of(truth)
