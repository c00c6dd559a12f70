"""Texts like those on which people disagree, of different kinds.

What people disagree on is carried to other texts by the nearest answered ones in the embedding, not
by a regression: where people differ is often a small place, and a few hundred answers teach no
more. Figures: tests/benchmarks/results/label_efficiency.json.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.sample.candidates import Candidates, unit
from curate.sample.strategies.k_means import k_means
from curate.sample.strategies.strategy import Chosen, Part, prefiltered

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NEIGHBOURS = 10


@dataclass(frozen=True)
class Contested:
    """How much people disagreed on the nearest answered texts, 0 to 1.

    `answered` are their unit vectors, `disagreement` their 1 - sum of squared posteriors.
    """

    answered: NDArray[np.float32]
    disagreement: NDArray[np.float64]

    def __call__(self, part: Part) -> NDArray[np.float64]:
        """The value of each document of a part, read block by block."""
        import numpy as np

        assert part.vectors is not None
        values = np.zeros(part.vectors.rows())
        for rows, vectors in part.vectors.batches():
            values[rows] = near(unit(vectors), self.answered, self.disagreement)
        return values[part.rows]


def near(
    vectors: NDArray[np.float32],
    answered: NDArray[np.float32],
    disagreement: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The mean disagreement on the ten nearest answered texts; both hold unit vectors."""
    import numpy as np

    k = min(NEIGHBOURS, len(answered))
    likeness = vectors @ answered.T
    nearest = np.argpartition(-likeness, k - 1, axis=1)[:, :k]
    return np.asarray(disagreement[nearest].mean(axis=1))


def select(candidates: Candidates, n: int) -> NDArray[np.int64]:
    """The middle of n clusters of the candidates."""
    assert candidates.vectors is not None
    return k_means(candidates.vectors, n)


STRATEGY = Chosen("disagreement", prefiltered, select, reads_vectors=True)
