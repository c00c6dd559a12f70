"""The texts farthest from all that people have seen: the corners of the corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curate.sample.candidates import Candidates
from curate.sample.strategies.strategy import Chosen, compared

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


BLOCK = 1_024


def k_center(
    vectors: NDArray[np.float32], n: int, known: NDArray[np.float32] | None = None
) -> NDArray[np.int64]:
    """The n places that are each the farthest by cosine from those before and the `known` ones.

    Both hold unit vectors, documents x dimensions. The largest distance to a chosen one is at most
    twice the smallest possible (Gonzalez 1985; Sener and Savarese 2018). Without known vectors the
    first is the farthest from the mean. Outliers come first: that is what it is for.
    """
    import numpy as np

    n, picked = min(n, len(vectors)), list[int]()
    nearest = likeness_to(vectors, known)
    if n and (known is None or not len(known)):
        picked.append(int((vectors @ vectors.mean(axis=0)).argmin()))
        nearest = vectors @ vectors[picked[0]]
    while len(picked) < n:
        nearest[picked] = np.inf
        picked.append(int(nearest.argmin()))
        nearest = np.maximum(nearest, vectors @ vectors[picked[-1]])
    return np.array(picked, np.int64)


def likeness_to(
    vectors: NDArray[np.float32], known: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """The largest cosine of each unit vector with a known one; -1 where none is known."""
    import numpy as np

    nearest = np.full(len(vectors), -1, np.float32)
    for start in range(0, 0 if known is None else len(vectors), BLOCK):
        if known is not None and len(known):
            part = slice(start, start + BLOCK)
            nearest[part] = (vectors[part] @ known.T).max(axis=1)
    return nearest


def select(candidates: Candidates, n: int) -> NDArray[np.int64]:
    """The candidates farthest from each other and from what people have seen."""
    assert candidates.vectors is not None
    return k_center(candidates.vectors, n, candidates.known)


STRATEGY = Chosen("random", compared, select, reads_vectors=True)
