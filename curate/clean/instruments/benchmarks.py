"""The runs of words of evaluation items, and what of them documents hold.

An item's runs are all its sequences of n words in a row. A shorter item of at least `SHORTEST`
words is one run. Runs that many items of a set have are no evidence of one of them: a template
comes with every item. The passage of a text that several questions are about is evidence, though.
A run is common if it is in more than `COMMON` items of a set and in more than `COMMON_SHARE` of it,
or in more than `MOST_COMMON` items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from curate.clean.instruments.grams import Hashed, hashed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHORTEST = 8
COMMON = 10
"""Brown et al. leave out runs in more than ten documents."""

COMMON_SHARE = 0.01
MOST_COMMON = 100
_BLOOM = 22


@dataclass(frozen=True)
class Index:
    """The runs of evaluation items, by hash.

    `runs` are sorted and distinct. Run r is in `items[first[r]:first[r + 1]]`, first at the words
    `places[first[r]:first[r + 1]]` of each. By item, `totals` has the number of distinct runs, and
    `lengths` the number of words. `sizes` has the lengths of the runs. `seen` marks the top bits of
    every run, so that most other runs are ruled out at once.
    """

    runs: NDArray[np.uint64]
    first: NDArray[np.int64]
    items: NDArray[np.int32]
    places: NDArray[np.int32]
    totals: NDArray[np.int32]
    lengths: NDArray[np.int64]
    sizes: NDArray[np.int64]
    seen: NDArray[np.bool_]


class Overlap(NamedTuple):
    """What a document holds of an item: the share of its runs, and its longest passage in words."""

    share: float
    words: int


def index(texts: Sequence[str], n: int, sets: Sequence[int] | None = None) -> Index:
    """Build the index of evaluation items, with runs of n words.

    `sets` has the number of each item's set; None for a single set.
    """
    import numpy as np

    hashes = hashed(texts)
    lengths = np.diff(hashes.starts)
    short_sizes = [int(size) for size in np.unique(lengths) if SHORTEST <= size < n]
    parts = [_runs_of(hashes, size, None if size == n else lengths) for size in (n, *short_sizes)]
    runs, items, places = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((places, items, runs))
    runs, items, places = runs[order], items[order], places[order]
    new = np.ones(len(runs), bool)  # the first place of a run in an item
    new[1:] = (runs[1:] != runs[:-1]) | (items[1:] != items[:-1])
    runs, items, places = runs[new], items[new], places[new]
    rare = ~_common(runs, np.zeros(len(texts), int) if sets is None else np.array(sets), items)
    runs, items, places = runs[rare], items[rare], places[rare]
    distinct, counts = np.unique(runs, return_counts=True)
    seen = np.zeros(1 << _BLOOM, np.bool_)
    seen[distinct >> np.uint64(64 - _BLOOM)] = True
    return Index(
        runs=distinct,
        first=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        items=items.astype(np.int32),
        places=places.astype(np.int32),
        totals=np.bincount(items, minlength=len(texts)).astype(np.int32),
        lengths=lengths,
        sizes=np.array([n, *short_sizes], np.int64),
        seen=seen,
    )


def _runs_of(
    hashes: Hashed, size: int, lengths: NDArray[np.int64] | None
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]:
    """The runs of a size, their items and their places there; with `lengths`, of whole items."""
    import numpy as np

    runs, items, places = hashes.placed(size)
    whole = slice(None) if lengths is None else np.flatnonzero(lengths[items] == size)
    return runs[whole], items[whole], places[whole]


def _common(
    runs: NDArray[np.uint64], sets: NDArray[np.int64], items: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether the run of each row (runs are sorted) is in too many items of one of the sets."""
    import numpy as np

    _, numbers = np.unique(runs, return_inverse=True)
    most = np.clip(np.bincount(sets) * COMMON_SHARE, COMMON, MOST_COMMON)
    common = np.zeros(len(runs), bool)
    for number, limit in enumerate(most.tolist()):
        in_set = np.bincount(numbers, sets[items] == number, minlength=1)
        common |= in_set[numbers] > limit
    return common


def overlaps(texts: Hashed, evaluation: Index) -> list[dict[int, Overlap]]:
    """For each text, item → what the text holds of it; items without a run in common are left out.

    A passage is a sequence of the item's words of which the text holds every run.
    """
    import numpy as np

    by_text: list[dict[int, Overlap]] = [{} for _ in range(len(texts.starts) - 1)]
    hits = [_hits(texts, evaluation, size) for size in evaluation.sizes.tolist()]
    text, run = np.unique(np.concatenate(hits), axis=0).T
    if not len(run):
        return by_text
    counts = evaluation.first[run + 1] - evaluation.first[run]
    rows = np.repeat(evaluation.first[run] - np.cumsum(counts) + counts, counts)
    rows += np.arange(len(rows))
    text, item, place = np.repeat(text, counts), evaluation.items[rows], evaluation.places[rows]
    order = np.lexsort((place, item, text))
    text, item, place = text[order], item[order].astype(np.int64), place[order]
    other = np.ones(len(text), bool)
    other[1:] = (text[1:] != text[:-1]) | (item[1:] != item[:-1])
    starts = np.flatnonzero(other)
    apart = other.copy()
    apart[1:] |= place[1:] != place[:-1] + 1
    stretches = np.flatnonzero(apart)
    longest = np.maximum.reduceat(
        np.diff([*stretches, len(text)]), np.searchsorted(stretches, starts)
    )
    size = np.minimum(evaluation.lengths[item[starts]], evaluation.sizes[0])
    shares = np.diff([*starts, len(text)]) / evaluation.totals[item[starts]]
    columns = (text[starts], item[starts], shares, longest + size - 1)
    for row in zip(*(column.tolist() for column in columns), strict=True):
        by_text[row[0]][row[1]] = Overlap(row[2], row[3])
    return by_text


def _hits(texts: Hashed, evaluation: Index, size: int) -> NDArray[np.int64]:
    """The texts and the runs of this size that they hold: shape (n, 2)."""
    import numpy as np

    runs, where = texts.grams(size)
    if not len(evaluation.runs):
        return np.zeros((0, 2), np.int64)
    maybe = evaluation.seen[runs >> np.uint64(64 - _BLOOM)]
    runs, where = runs[maybe], where[maybe]
    at = np.minimum(np.searchsorted(evaluation.runs, runs), len(evaluation.runs) - 1)
    same = evaluation.runs[at] == runs
    return np.stack((where[same], at[same]), axis=1)
