"""Ratings: proportional odds, as one logistic regression for each step between levels.

P(above step k) = σ(features·w + b_k): one direction for all steps (McCullagh 1980). The loss is the
sum of the steps' cross-entropies (Li and Lin 2007, "all thresholds"), which is convex.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.heads.calibration.temperature import shares_of
from curate.heads.learners.linear import Linear, Taught, minimise
from curate.heads.learners.ridge import positions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Ordinal:
    """An output for each step: the logit of lying above it. The values ascend."""

    values: tuple[str, ...]
    name: str = "ordinal"

    def fit(
        self, taught: Taught, inverse_strength: float, start: Linear | None, tolerance: float
    ) -> Linear:
        """Minimise the cross-entropy of all steps."""
        import numpy as np
        from scipy.special import expit

        rows = taught.anchored()
        above = np.cumsum(rows.truth[:, ::-1], axis=1)[:, -2::-1]
        begin = np.zeros((taught.features.shape[1], 1)) if start is None else start.weights

        def loss(outputs: Array) -> tuple[float, Array]:
            losses = np.logaddexp(0, outputs) - above * outputs
            return float(rows.weights @ losses.sum(axis=1)), rows.weights[:, None] * (
                expit(outputs) - above
            )

        steps = len(self.values) - 1
        curvature = 0.1 * steps
        weights, bias = minimise(loss, rows, steps, inverse_strength, curvature, begin, tolerance)
        return Linear(weights, bias)

    def logits(self, outputs: Array) -> Array:
        """The logarithms of the probabilities of the levels: differences of those of steps."""
        import numpy as np
        from scipy.special import expit

        above = expit(outputs)
        ones = np.ones_like(above[..., :1])
        shares = np.concatenate([ones, above], axis=-1) - np.concatenate([above, 0 * ones], axis=-1)
        return np.asarray(np.log(np.maximum(shares, 1e-12)))

    def losses(self, logits: Array, truth: Array) -> Array:
        """The squared error of the mean."""
        import numpy as np

        return np.asarray(((np.exp(logits) - truth) @ positions(self.values)) ** 2)

    def shares(self, truth: Array) -> Array:
        """The share of each level; none is 0."""
        return shares_of(truth)
