"""Uncertain texts of different kinds: the most uncertain ones are alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curate.sample.candidates import Candidates
from curate.sample.strategies.k_means import k_means
from curate.sample.strategies.margin import margin
from curate.sample.strategies.strategy import Chosen, prefiltered

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST = 1e-3
"""The weight of a text about which nothing is uncertain."""


def select(candidates: Candidates, n: int) -> NDArray[np.int64]:
    """The middle of n clusters, each candidate with its uncertainty as weight (Zhdanov 2019)."""
    import numpy as np

    assert candidates.vectors is not None
    return k_means(candidates.vectors, n, np.maximum(candidates.values, LEAST))


STRATEGY = Chosen("uncertainty", prefiltered, select, margin, reads_vectors=True)
