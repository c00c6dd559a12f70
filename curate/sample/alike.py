"""Near-duplicates in a batch: texts of which one is enough for people.

Texts are compared by the Jaccard similarity of their shingles, as `clean` does. So the same two
texts are alike whichever encoder is used, and where there is none. The cosine of embeddings would
also call texts alike that only share their subject.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from curate.text import shingles

ALIKE = 0.8
"""The Jaccard similarity from which two texts are near-duplicates; `clean` has the same default."""


def distinct(texts: Sequence[str]) -> list[int]:
    """The places of the texts that are no near-duplicate of an earlier one that stays.

    Two sets with a similarity of at least t share one of the rarest (1 - t) * size + 1 shingles of
    either (prefix filter, Bayardo et al. 2007). Only those that do are compared.
    """
    sets = [frozenset(shingles(text)) for text in texts]
    counts = Counter(shingle for own in sets for shingle in own)
    staying: list[int] = []
    index: dict[bytes, list[int]] = {}
    for place, own in enumerate(sets):
        rare = sorted(own, key=lambda shingle: (counts[shingle], shingle))
        rare = rare[: int((1 - ALIKE) * len(own) + 1e-9) + 1]
        near = {other for shingle in rare for other in index.get(shingle, ())}
        if any(similarity(own, sets[other]) >= ALIKE for other in near):
            continue
        staying.append(place)
        for shingle in rare:
            index.setdefault(shingle, []).append(place)
    return staying


def similarity(one: frozenset[bytes], other: frozenset[bytes]) -> float:
    """The Jaccard similarity of two sets, 0 to 1; that of two empty sets is 0."""
    shared = len(one & other)
    return shared / max(1, len(one) + len(other) - shared)
