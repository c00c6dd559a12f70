"""The shingles of many texts at once, as hashes in one flat array.

The shingles are those of `text.shingles`: character 5-grams, or bigrams where much of the text is
CJK. Case, the composition of accents and the width of white space do not count. Each is a 64-bit
hash of its code points.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from curate.scripts import HANGUL, IDEOGRAPHS
from curate.text import composed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LATIN, CJK = 5, 2
CJK_SHARE = 0.3
"""A text with a larger share of CJK letters has bigrams as shingles."""

LONGEST = 1 << 24
"""Characters compared of a longer text."""

BLOCK = 1 << 18
"""Characters hashed at once: as many as stay in the processor's cache."""

_ODD = 0x9E3779B97F4A7C15


def flat(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The hashes of all texts' shingles, and the offsets of each text's first and of the end.

    A shingle that occurs twice in a text comes twice. Shapes: (n shingles,), (n texts + 1,).
    """
    import numpy as np

    folded = [" ".join(composed(text)[:LONGEST].lower().split()) for text in texts]
    joined = "".join(folded)
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    lengths = np.fromiter(map(len, folded), np.int64, len(folded))
    starts = np.cumsum(lengths) - lengths
    sizes = np.where(_cjk(joined, codes, starts, lengths) > CJK_SHARE * lengths, CJK, LATIN)
    counts = np.where(lengths > 0, np.maximum(lengths - sizes + 1, 1), 0)
    ends = np.cumsum(counts)
    offsets = np.concatenate([[0], ends])
    if not offsets[-1]:
        return np.empty(0, np.uint64), offsets
    wide = np.zeros(len(codes) + LATIN, np.uint64)
    wide[: len(codes)] = codes
    # A shingle's place in `codes`: the shingles before it, and the characters that earlier texts
    # have beyond their shingles.
    places = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], counts)
    latin = sizes == LATIN
    if latin.all():
        hashes = _hashed(wide, LATIN)[places]
    elif not latin.any():
        hashes = _hashed(wide, CJK)[places]
    else:
        is_latin = np.repeat(latin, counts)
        hashes = np.where(is_latin, _hashed(wide, LATIN)[places], _hashed(wide, CJK)[places])
    for row in np.flatnonzero((lengths > 0) & (lengths < sizes)).tolist():
        whole = np.zeros(LATIN, np.uint64)  # a text shorter than a shingle is one shingle
        whole[: lengths[row]] = wide[starts[row] : starts[row] + lengths[row]]
        hashes[offsets[row]] = _hashed(whole, LATIN)[0]
    return hashes, offsets


def _cjk(
    joined: str,
    codes: NDArray[np.uint32],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
) -> NDArray[np.int64]:
    """The number of CJK letters in each text."""
    import numpy as np

    if joined.isascii():
        return np.zeros(len(starts), np.int64)
    sums = np.concatenate([[0], np.cumsum(_is_cjk().take(codes, mode="clip"))])
    return np.asarray(sums[starts + lengths] - sums[starts])


@cache
def _is_cjk() -> NDArray[np.bool_]:
    """Whether each code point is a CJK letter; the last entry, False, stands for higher ones."""
    import numpy as np

    ranges = IDEOGRAPHS + HANGUL
    letters = np.zeros(max(last for _, last in ranges) + 2, bool)
    for first, last in ranges:
        letters[first : last + 1] = True
    return letters


def _hashed(codes: NDArray[np.uint64], size: int) -> NDArray[np.uint64]:
    """The hash of the window that begins at each place: a polynomial, then splitmix64."""
    import numpy as np

    last = len(codes) - size + 1
    hashes = codes[:last] + np.uint64(size)
    for at in range(1, size):
        hashes *= np.uint64(_ODD)
        hashes += codes[at : at + last]
    return mixed(hashes)


def mixed(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread every bit over all others, in place (splitmix64's finaliser, Steele et al. 2014)."""
    import numpy as np

    hashes ^= hashes >> np.uint64(30)
    hashes *= np.uint64(0xBF58476D1CE4E5B9)
    hashes ^= hashes >> np.uint64(27)
    hashes *= np.uint64(0x94D049BB133111EB)
    hashes ^= hashes >> np.uint64(31)
    return hashes


def blocks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield runs of texts to hash together, of about `BLOCK` characters each."""
    start, chars = 0, 0
    for place, text in enumerate(texts):
        chars += len(text)
        if chars >= BLOCK:
            yield texts[start : place + 1]
            start, chars = place + 1, 0
    if start < len(texts):
        yield texts[start:]


def sets(texts: Sequence[str]) -> list[NDArray[np.uint64]]:
    """The distinct shingles of each text, sorted."""
    import numpy as np

    shingles: list[NDArray[np.uint64]] = []
    for block in blocks(texts):
        hashes, offsets = flat(block)
        ends = offsets.tolist()
        shingles += [np.unique(hashes[ends[k] : ends[k + 1]]) for k in range(len(block))]
    return shingles


def jaccard(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> float:
    """The Jaccard similarity of two sorted sets of distinct shingles, 0 to 1."""
    import numpy as np

    if not len(one) or not len(other):
        return 0.0
    both = np.sort(np.concatenate([one, other]), kind="stable")
    shared = int(np.count_nonzero(both[1:] == both[:-1]))
    return shared / (len(both) - shared)
