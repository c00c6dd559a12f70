"""Ratings: ridge regression on the mean of a posterior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.heads.learners.linear import Linear, Taught

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Ridge:
    """One output: the mean level, on a scale where the levels go from 0 to 1.

    The logits are those of a normal distribution around it; the temperature is its variance.
    """

    values: tuple[str, ...]
    name: str = "ridge"

    def fit(
        self, taught: Taught, inverse_strength: float, start: Linear | None, tolerance: float
    ) -> Linear:
        """Minimise the squared error against the posteriors' means; each group has its own bias."""
        import numpy as np

        mean = taught.truth @ positions(self.values) - taught.offset[:, 0]
        centres = _means(np.column_stack([taught.features, mean]), taught)
        own = centres[taught.groups]
        roots = np.sqrt(taught.weights)
        features = (taught.features - own[:, :-1]) * roots[:, None]
        weights = _solved(features, (mean - own[:, -1]) * roots, 1 / inverse_strength)
        bias = np.asarray(centres[:, -1] - centres[:, :-1] @ weights)
        return Linear(weights[:, None], bias[:, None])

    def logits(self, outputs: Array) -> Array:
        """The log-density of each level, up to a constant, at variance 1."""
        import numpy as np

        return np.asarray(-((positions(self.values) - outputs) ** 2) / 2)

    def losses(self, logits: Array, truth: Array) -> Array:
        """The squared error of the mean, which the logits of the first and last level tell."""
        import numpy as np

        mean = logits[:, -1] - logits[:, 0] + 0.5
        return np.asarray((mean - truth @ positions(self.values)) ** 2)

    def shares(self, truth: Array) -> Array:
        """Equal ones: the density already stands around the mean."""
        import numpy as np

        return np.full(truth.shape[1], 1 / truth.shape[1])


def positions(values: tuple[str, ...]) -> Array:
    """The levels, moved and scaled to go from 0 to 1."""
    import numpy as np

    levels = np.array([float(value) for value in values])
    return np.asarray((levels - levels.min()) / (levels.max() - levels.min()))


def _means(columns: Array, taught: Taught) -> Array:
    """The weighted mean of each column in each group: groups x columns."""
    import numpy as np

    member = np.zeros((int(taught.groups.max()) + 1, len(columns)))
    member[taught.groups, np.arange(len(columns))] = taught.weights
    return np.asarray(member @ columns / member.sum(axis=1, keepdims=True))


def _solved(features: Array, wanted: Array, penalty: float) -> Array:
    """The weights of ridge regression without an intercept, by the smaller of two systems."""
    import numpy as np

    rows, dimensions = features.shape
    system = features @ features.T if rows < dimensions else features.T @ features
    system[np.diag_indices_from(system)] += penalty
    if rows < dimensions:
        return np.asarray(features.T @ np.linalg.solve(system, wanted))
    return np.asarray(np.linalg.solve(system, features.T @ wanted))
