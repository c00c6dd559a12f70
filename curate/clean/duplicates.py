"""Near-duplicates: MinHash signatures, LSH candidates, verified Jaccard similarity.

Signatures are a cache; only a verified pair counts (Broder 1997; bands of LSH: Indyk and Motwani
1998). 128 permutations in 32 bands of 4: a pair of similarity .5 is a candidate in 87 % of cases,
one of .7 in 99.98 %.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from curate.text import shingles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PERMUTATIONS, BANDS, SEED = 128, 32, 42

_ALL_PAIRS = 20
"""Up to this size every pair of a bucket is a candidate; beyond, pairs with its first and next."""


@dataclass(frozen=True)
class Near:
    """The document that is kept in another's place, and the Jaccard similarity of the two."""

    kept: str
    similarity: float


def signatures(texts: Iterable[str | None]) -> list[bytes | None]:
    """Return the MinHash signature of each text; None stays None."""
    import numpy as np
    from rensa import RMinHash

    texts = list(texts)
    sets = [shingles(text) for text in texts if text is not None]
    rows = (
        RMinHash.digest_matrix_from_token_sets(sets, PERMUTATIONS, SEED).to_rows() if sets else []
    )
    signed = iter(np.asarray(rows, np.uint32).reshape(-1, PERMUTATIONS))
    return [None if text is None else next(signed).tobytes() for text in texts]


def near_duplicates(
    ids: Sequence[str],
    signed: Sequence[bytes],
    texts: Callable[[set[str]], dict[str, str]],
    threshold: float,
) -> dict[str, Near]:
    """Return what each near-duplicate yields to.

    `ids` are in order of precedence: an earlier document stays. Only a document that stays itself
    makes another one go, so every chain ends at one that is kept. `texts` fetches the texts of
    candidates.
    """
    import numpy as np

    if not ids:
        return {}
    matrix = np.frombuffer(b"".join(signed), np.uint32).reshape(len(ids), PERMUTATIONS)
    pairs = sorted({(late, early) for early, late in candidates(matrix)})
    content = texts({ids[place] for pair in pairs for place in pair})

    @cache
    def grams(place: int) -> frozenset[bytes]:
        return frozenset(shingles(content[ids[place]]))

    gone: dict[int, Near] = {}
    for late, early in pairs:
        if early in gone:
            continue
        similarity = jaccard(grams(late), grams(early))
        best = gone[late].similarity if late in gone else threshold - 1e-12
        if similarity > best:
            gone[late] = Near(ids[early], similarity)
    return {ids[late]: near for late, near in gone.items()}


def candidates(matrix: NDArray[np.uint32]) -> Iterator[tuple[int, int]]:
    """Yield pairs of rows (earlier, later) that share a band of the signature."""
    import numpy as np

    width = matrix.shape[1] // BANDS
    for band in range(BANDS):
        part = np.ascontiguousarray(matrix[:, band * width : (band + 1) * width])
        keys = part.view(np.dtype((np.void, part.dtype.itemsize * width))).ravel()
        _, bucket, sizes = np.unique(keys, return_inverse=True, return_counts=True)
        crowded = np.flatnonzero(sizes[bucket] > 1)
        order = crowded[np.argsort(bucket[crowded], kind="stable")]
        ends = np.flatnonzero(np.diff(bucket[order])) + 1
        for members in np.split(order, ends):
            yield from _pairs(members.tolist())


def _pairs(members: list[int]) -> Iterator[tuple[int, int]]:
    if len(members) <= _ALL_PAIRS:
        for at, early in enumerate(members):
            yield from ((early, late) for late in members[at + 1 :])
        return
    yield from ((members[0], late) for late in members[1:])
    yield from pairwise(members[1:])


def jaccard(one: frozenset[bytes], other: frozenset[bytes]) -> float:
    """Return the Jaccard similarity of two sets, 0 to 1."""
    both = len(one & other)
    return both / (len(one) + len(other) - both) if both else 0.0
