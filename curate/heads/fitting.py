"""A head with one bias for all texts, learned from all differences or from those within groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.heads.learners import TOLERANCE, Learner, Linear, Taught

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Head:
    """A linear head; its `bias` serves any text.

    Where heads learn within groups, `linear` has the bias of each group in `known` (ascending).
    """

    linear: Linear
    bias: Array
    known: NDArray[np.int64]

    def outputs(self, features: Array) -> Array:
        """The outputs for any text: rows x outputs."""
        import numpy as np

        return np.asarray(features @ self.linear.weights + self.bias)

    def outputs_within(self, features: Array, groups: NDArray[np.int64]) -> Array:
        """The outputs that use the biases of the groups; an unknown group has the common one."""
        import numpy as np

        places = np.searchsorted(self.known, groups).clip(max=len(self.known) - 1)
        is_known = self.known[places] == groups
        bias = np.where(is_known[:, None], self.linear.bias[places], self.bias)
        return np.asarray(features @ self.linear.weights + bias)


def fit(
    learner: Learner,
    taught: Taught,
    inverse_strength: float,
    *,
    centred: bool = False,
    start: Head | None = None,
    tolerance: float = TOLERANCE,
) -> Head:
    """Fit a head; a `centred` one learns its weights from differences within groups alone.

    It has a bias for each group while the weights are fitted (fixed effects). These are dropped,
    and the common bias is fitted again.
    """
    import numpy as np

    begin = None if start is None else start.linear
    known, places = np.unique(taught.groups, return_inverse=True)
    if not centred:
        one = Taught(taught.features, taught.truth, taught.weights, 0 * places, taught.offset)
        linear = learner.fit(one, inverse_strength, begin, tolerance)
        return Head(linear, linear.bias[0], known[:1])
    means = np.stack([taught.features[places == place].mean(axis=0) for place in range(len(known))])
    own = Taught(
        taught.features - means[places], taught.truth, taught.weights, places, taught.offset
    )
    inside = learner.fit(own, inverse_strength, begin, tolerance)
    linear = Linear(inside.weights, inside.bias - means @ inside.weights)
    offset = taught.features @ inside.weights
    rest = Taught(taught.features[:, :0], taught.truth, taught.weights, 0 * places, offset)
    return Head(linear, learner.fit(rest, 1.0, None, tolerance).bias[0], known)


def mean(heads: Sequence[Head]) -> Head:
    """The head whose outputs for any text are the mean of theirs."""
    import numpy as np

    weights = np.mean([head.linear.weights for head in heads], axis=0)
    bias = np.mean([head.bias for head in heads], axis=0)
    return Head(Linear(weights, bias[None]), bias, np.zeros(1, np.int64))
