"""Linear models with an L2 penalty: what is fitted, and the minimiser that they share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Loss = Callable[[Array], tuple[float, Array]]

PSEUDO = 0.5
"""Labels at the mean features that spread evenly over the values.

They keep a value that no label has from probability 0, and intercepts finite.
"""

MAX_STEPS = 300
TOLERANCE, ROUGH = 1e-4, 1e-2
"""The largest entry of the gradient in scaled weights, where the minimiser stops.

The loss is then above its minimum by about half the sum of the squares of these entries. `ROUGH`
serves heads that are only compared with each other.
"""


@dataclass(frozen=True)
class Linear:
    """Outputs = features @ weights + bias, where each group has a bias of its own.

    `weights` are dimensions x directions, `bias` is groups x outputs. Where there are more outputs
    than directions, all outputs share the one direction.
    """

    weights: Array
    bias: Array


@dataclass(frozen=True)
class Taught:
    """What a learner is given: features (rows x dimensions), posteriors (rows x values), weights.

    `groups` holds the group of each row, 0 to the number of groups - 1. `offset` is added to the
    outputs of each row: rows x directions.
    """

    features: Array
    truth: Array
    weights: Array
    groups: NDArray[np.int64]
    offset: Array

    @classmethod
    def of(cls, features: Array, truth: Array, weights: Array | None = None) -> Taught:
        """Rows of one group, of equal weights unless they are given."""
        import numpy as np

        rows = len(truth)
        own = np.ones(rows) if weights is None else weights
        return cls(features, truth, own, np.zeros(rows, np.int64), np.zeros((rows, 1)))

    def anchored(self) -> Taught:
        """With a row for each group: the mean features and offset, any value (see PSEUDO).

        At features of 0 it would stand at the mean of all labelled texts, also of those left out.
        A head would then foretell the left-out texts otherwise than new ones.
        """
        import numpy as np

        groups = np.unique(self.groups)
        size, values = len(groups), self.truth.shape[1]
        counts = self.weights / self.weights.sum()
        return Taught(
            np.vstack([self.features, np.tile(counts @ self.features, (size, 1))]),
            np.vstack([self.truth, np.full((size, values), 1 / values)]),
            np.append(self.weights, np.full(size, PSEUDO)),
            np.append(self.groups, groups),
            np.vstack([self.offset, np.tile(counts @ self.offset, (size, 1))]),
        )


def minimise(
    loss: Loss,
    taught: Taught,
    outputs: int,
    inverse_strength: float,
    curvature: float,
    start: Array,
    tolerance: float,
) -> tuple[Array, Array]:
    """The weights (dimensions x directions) and intercepts (groups x outputs) of the lowest loss.

    `loss` gives the summed loss of outputs, rows x outputs, and its gradient. To it comes half the
    sum of squared weights / `inverse_strength`. Intercepts are free, or 0 where `outputs` is 0.
    `start` holds the weights to begin with. L-BFGS works on weights that are scaled by about the
    root of the `curvature` (second derivative of a row's loss); rotated features are nearly
    independent, so few steps do.
    """
    import numpy as np
    from scipy.optimize import minimize

    places, (dimension, directions) = taught.groups, start.shape
    groups = int(places.max()) + 1
    member = np.zeros((groups, len(places)))
    member[places, np.arange(len(places))] = 1.0
    squares = taught.weights @ taught.features**2
    scale = 1 / np.sqrt(curvature * squares + 1 / inverse_strength)[:, None]
    scaled = taught.features * scale.T
    penalty = scale**2 / inverse_strength
    step = bool(outputs) / np.sqrt(curvature * (member @ taught.weights))[:, None]
    outputs = max(outputs, 1)
    split = dimension * directions

    def value(flat: Array) -> tuple[float, Array]:
        weights = flat[:split].reshape(dimension, directions)
        intercepts = flat[split:].reshape(groups, outputs) * step
        total, gradient = loss(
            scaled @ weights + taught.offset + (intercepts[places] if outputs else 0.0)
        )
        if directions < outputs:
            own = scaled.T @ gradient.sum(axis=1, keepdims=True)
        else:
            own = scaled.T @ gradient
        total += float((penalty * weights**2).sum()) / 2
        moved = (own + penalty * weights, (member @ gradient)[:, :outputs] * step)
        return total, np.concatenate([part.ravel() for part in moved])

    begin = np.concatenate([(start / scale).ravel(), np.zeros(groups * outputs)])
    options = {"maxiter": MAX_STEPS, "gtol": tolerance, "ftol": 1e-10}
    result = minimize(value, begin, jac=True, method="L-BFGS-B", options=options)
    weights = result.x[:split].reshape(dimension, directions) * scale
    return weights, result.x[split:].reshape(groups, outputs) * step
