"""A hierarchical model: confusion matrices are drawn around one that all people share.

A person's row of the matrix has the prior Dirichlet(strength x pooled row). With few answers it is
near the pooled row, with many it is their own. One strength holds for all people and values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.agree.truth import confusion
from curate.agree.truth.coded import Coded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

STRENGTHS = (0.5, 200.0)
"""The least and the largest strength."""

FIRST_UPDATE, LEAST_ROUNDS, UPDATES = 3, 7, 3
"""The strength moves from this round on, EM runs so many rounds at least, with so many updates."""


def fit(coded: Coded) -> confusion.Confusion:
    """The fitted model. The prevalence has a prior count of 1 for each value."""
    return confusion.fit(coded, _Pooling(), prior=1.0, least=LEAST_ROUNDS)


@dataclass
class _Pooling:
    """Rows drawn to the pooled ones, with a strength that is estimated on the way."""

    strength: float = 10.0

    def __call__(self, counts: Array, number: int) -> Array:
        import numpy as np

        pooled = pooled_rows(counts)
        for _ in range(UPDATES if number >= FIRST_UPDATE else 0):
            self.strength = stronger(self.strength, counts, pooled)
        rows = counts + self.strength * pooled
        return np.asarray(rows / rows.sum(axis=2, keepdims=True))


def pooled_rows(counts: Array) -> Array:
    """The rows of all people together, with one prior answer of which .8 more is right."""
    import numpy as np

    size = counts.shape[1]
    pooled = counts.sum(axis=0) + 0.2 / size + 0.8 * np.eye(size)
    return np.asarray(pooled / pooled.sum(axis=1, keepdims=True))


def stronger(strength: float, counts: Array, pooled: Array) -> float:
    """One step of Minka's fixed point towards the most probable strength, within STRENGTHS.

    Minka 2000, "Estimating a Dirichlet distribution", equation 55, for known pooled rows.
    """
    import numpy as np
    from scipy.special import digamma

    own = strength * pooled
    cells = (pooled * (digamma(counts + own) - digamma(own))).sum()
    rows = (digamma(counts.sum(axis=2) + strength) - digamma(strength)).sum()
    return float(np.clip(strength * cells / rows, *STRENGTHS))
