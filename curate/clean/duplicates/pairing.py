"""Pairs of documents that share a band: each once, in the group in which it is compared.

Pairs that share a band by chance grow with the square of a corpus; their bits sort most of them
out at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.clean.duplicates.minhash import BIT_WORDS, PERMUTATIONS
from curate.clean.duplicates.shards import Shard

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

_ALL_PAIRS = 20
"""Up to this size every pair of a bucket is a candidate; beyond, pairs with its first and next."""

GROUP = 1024
"""Up to so many later documents are compared with one at once."""


def load_keys(shard: Shard) -> pa.Table:
    """Return the bands' keys of a shard."""
    return shard.keys()


@dataclass(frozen=True)
class Pairs:
    """Pairs the documents that share a key, but those whose bits say that they are not alike."""

    equal: int

    def __call__(self, bands: pa.Table) -> pa.Table:
        """Return pairs, given all rows of some keys; pure.

        Rows are (late, late_order, early, early_order): the early one has precedence.
        """
        import numpy as np
        import pyarrow as pa

        key = bands["key"].to_numpy()
        ordered = np.sort(key)
        shared = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        at = np.minimum(np.searchsorted(shared, key), max(0, len(shared) - 1))
        rows = np.flatnonzero(shared[at] == key) if len(shared) else np.empty(0, np.int64)
        key, order, place = (bands[name].to_numpy()[rows] for name in ("key", "order", "place"))
        sort = np.lexsort((place, order, key))
        key, order, place, rows = key[sort], order[sort], place[sort], rows[sort]
        early, late = _within(key)
        differ = np.zeros(len(early), np.int64)
        for word in range(BIT_WORDS):
            own = bands[f"bits_{word}"].to_numpy()[rows]
            differ += np.bitwise_count(own[early] ^ own[late])
        alike = differ <= PERMUTATIONS - self.equal
        early, late = early[alike], late[alike]
        return distinct(
            pa.table(
                {
                    "late": place[late],
                    "late_order": order[late],
                    "early": place[early],
                    "early_order": order[early],
                }
            )
        )


def _within(key: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (earlier, later) positions of rows with the same key; keys are sorted."""
    import numpy as np

    first = np.ones(len(key), bool)
    first[1:] = key[1:] != key[:-1]
    starts = np.flatnonzero(first)
    sizes = np.diff(np.append(starts, len(key)))
    size, start = np.repeat(sizes, sizes), np.repeat(starts, sizes)
    at = np.arange(len(key))
    small = size <= _ALL_PAIRS
    early, late = [], []
    for step in range(1, _ALL_PAIRS):
        here = at[small & (at + step < start + size)]
        early.append(here)
        late.append(here + step)
    big = at[~small & (at > start)]
    early += [start[big], big - 1]
    late += [big, big]
    return np.concatenate(early), np.concatenate(late)


def distinct(pairs: pa.Table) -> pa.Table:
    """Return every pair once, given all pairs of some early documents, in their order; pure."""
    import numpy as np

    early, late = pairs["early"].to_numpy(), pairs["late"].to_numpy()
    sort = np.lexsort((late, early))
    early, late = early[sort], late[sort]
    new = np.ones(len(sort), bool)
    new[1:] = (late[1:] != late[:-1]) | (early[1:] != early[:-1])
    return pairs.take(sort[new])


def grouped(pairs: pa.Table) -> pa.Table:
    """Return every pair once, with the group in which it is compared; pure.

    A group is one early document and up to `GROUP` later ones, so that none grows with the pool.
    """
    import numpy as np
    import pyarrow as pa

    pairs = distinct(pairs)
    early = pairs["early"].to_numpy()
    first = np.ones(len(early), bool)
    first[1:] = early[1:] != early[:-1]
    starts = np.flatnonzero(first)
    within = np.arange(len(early)) - np.repeat(starts, np.diff(np.append(starts, len(early))))
    part = (within // GROUP).astype(np.uint64)
    return pairs.append_column("group", pa.array(early ^ (part << np.uint64(40))))
