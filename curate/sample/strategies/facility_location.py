"""The texts that together are nearest to all others: each text has one that stands for it."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from curate.sample.candidates import Candidates
from curate.sample.strategies.k_center import likeness_to
from curate.sample.strategies.strategy import Chosen, compared

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REPRESENTED = 2_000
"""So many documents are represented, drawn at random where there are more."""

BLOCK = 1_024


def facility_location(
    vectors: NDArray[np.float32], n: int, known: NDArray[np.float32] | None = None
) -> NDArray[np.int64]:
    """The n places that greedily maximise the sum over i of max_j max(0, cos(i, j)).

    i runs over the first 2,000 documents, j over what is picked and over the `known` vectors, which
    people have seen. All are unit vectors, documents x dimensions. The sum is at least 1 - 1/e of
    the largest. A gain only falls as more is picked, so it is computed again for those on top alone
    (lazy greedy, Minoux 1978).
    """
    import numpy as np

    ground = vectors[:REPRESENTED]
    covered = np.maximum(likeness_to(ground, known), 0)
    gains = _gains(ground, vectors, covered)
    heap = [(-gain, place) for place, gain in enumerate(gains.tolist())]
    heapify(heap)
    picked: list[int] = []
    while heap and len(picked) < n:
        _, place = heappop(heap)
        likeness = ground @ vectors[place]
        gain = float(np.maximum(likeness - covered, 0).sum())
        if not heap or (-gain, place) <= heap[0]:
            picked.append(place)
            covered = np.maximum(covered, likeness)
        else:
            heappush(heap, (-gain, place))
    return np.array(picked, np.int64)


def _gains(
    ground: NDArray[np.float32], vectors: NDArray[np.float32], covered: NDArray[np.float32]
) -> NDArray[np.float32]:
    """What each of the vectors alone adds to what is covered of the ground."""
    import numpy as np

    gains = np.zeros(len(vectors), np.float32)
    for start in range(0, len(vectors), BLOCK):
        part = slice(start, start + BLOCK)
        more = np.maximum(vectors[part] @ ground.T - covered, 0)
        gains[part] = more.sum(axis=1)
    return gains


def select(candidates: Candidates, n: int) -> NDArray[np.int64]:
    """The candidates that represent all of them best, beside what people have seen."""
    assert candidates.vectors is not None
    return facility_location(candidates.vectors, n, candidates.known)


STRATEGY = Chosen("random", compared, select, reads_vectors=True)
