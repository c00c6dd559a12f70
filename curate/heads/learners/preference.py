"""Preferences: Bradley and Terry (1952), with a document's strength linear in its features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.heads.calibration.temperature import log_softmax
from curate.heads.learners.linear import Linear, Taught, minimise

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Preference:
    """One output: how much stronger the first document is, as a logit; features are differences.

    Posteriors have two columns, first and second; a tie counts half for each.
    """

    values: tuple[str, ...]
    name: str = "bradley-terry"

    def fit(
        self, taught: Taught, inverse_strength: float, start: Linear | None, tolerance: float
    ) -> Linear:
        """Minimise the cross-entropy; there is no intercept, since sides do not matter."""
        import numpy as np
        from scipy.special import expit

        first = taught.truth[:, :1]
        begin = np.zeros((taught.features.shape[1], 1)) if start is None else start.weights

        def loss(outputs: Array) -> tuple[float, Array]:
            losses = np.logaddexp(0, outputs) - first * outputs
            return float(taught.weights @ losses[:, 0]), taught.weights[:, None] * (
                expit(outputs) - first
            )

        weights, bias = minimise(loss, taught, 0, inverse_strength, 0.2, begin, tolerance)
        return Linear(weights, bias)

    def logits(self, outputs: Array) -> Array:
        """Half the output for the first, and half against the second."""
        import numpy as np

        return np.concatenate([outputs, -outputs], axis=-1) / 2

    def losses(self, logits: Array, truth: Array) -> Array:
        """The cross-entropy of each row."""
        import numpy as np

        return np.asarray(-(truth * log_softmax(logits)).sum(axis=1))

    def shares(self, truth: Array) -> Array:
        """A half each."""
        import numpy as np

        return np.full(2, 0.5)
