"""Pairs of documents that share a band: each once, with the group in which it is compared.

The number of pairs that share a band by chance grows with the square of a corpus. Their bits rule
out most of them at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.clean.duplicates.shards import Shard
from curate.minhash import BIT_WORDS, PERMUTATIONS

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

_ALL_PAIRS = 20
"""Up to so many rows of one key, every pair is a candidate.

Beyond, each row is paired with the first row and with the one before it.
"""

GROUP = 1024
"""At most so many later documents are compared with one at once."""


def load_keys(shard: Shard) -> pa.Table:
    """The bands' keys of a shard, as `Shard.keys` returns them."""
    return shard.keys()


@dataclass(frozen=True)
class Pairs:
    """Pairs the documents that share a key, unless fewer than `equal` of their bits are equal."""

    equal: int

    def __call__(self, bands: pa.Table) -> pa.Table:
        """The pairs of documents in `bands`, which holds all rows of some keys; pure.

        Rows are (late, late_order, early, early_order); the early document has precedence.
        """
        import numpy as np
        import pyarrow as pa

        key = bands["key"].to_numpy()
        ordered = np.sort(key)
        shared_keys = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        at = np.minimum(np.searchsorted(shared_keys, key), max(0, len(shared_keys) - 1))
        rows = np.flatnonzero(shared_keys[at] == key) if len(shared_keys) else np.empty(0, np.int64)
        key, order, place = (bands[name].to_numpy()[rows] for name in ("key", "order", "place"))
        sort = np.lexsort((place, order, key))
        key, order, place, rows = key[sort], order[sort], place[sort], rows[sort]
        early, late = _within(key)
        differ = np.zeros(len(early), np.int64)
        for word in range(BIT_WORDS):
            bits = bands[f"bits_{word}"].to_numpy()[rows]
            differ += np.bitwise_count(bits[early] ^ bits[late])
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
    """The (earlier, later) positions of rows with the same key; keys are sorted."""
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
        earlier = at[small & (at + step < start + size)]
        early.append(earlier)
        late.append(earlier + step)
    big = at[~small & (at > start)]
    early += [start[big], big - 1]
    late += [big, big]
    return np.concatenate(early), np.concatenate(late)


def distinct(pairs: pa.Table) -> pa.Table:
    """Every pair once, sorted; `pairs` holds all pairs of some early documents; pure."""
    import numpy as np

    early, late = pairs["early"].to_numpy(), pairs["late"].to_numpy()
    sort = np.lexsort((late, early))
    early, late = early[sort], late[sort]
    new = np.ones(len(sort), bool)
    new[1:] = (late[1:] != late[:-1]) | (early[1:] != early[:-1])
    return pairs.take(sort[new])


def grouped(pairs: pa.Table) -> pa.Table:
    """Every pair once, with the group in which it is compared; pure.

    A group is one early document and up to `GROUP` later ones, so no group grows with the pool.
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
