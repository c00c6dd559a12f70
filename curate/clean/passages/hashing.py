"""The words of many texts at once, and hashes of runs of them.

A word is a run of letters and digits of one script, vowel signs included. In Chinese and Japanese
it is one character. In Thai, Lao, Burmese and Khmer it is a run between vowel signs, about five
characters. So words are those of `instruments.grams`. Runs are equal if all their characters are,
from the first word to the last, marks included; only white space does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any
from unicodedata import category

from curate.scripts import HANGUL, IDEOGRAPHS, SOUTHEAST, Ranges
from curate.shingles import BLOCK, LONGEST, blocks, mixed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SPACE, MARK, LETTER, IDEOGRAPH, HANGUL_LETTER, SOUTHEAST_LETTER, SIGN, APOSTROPHE = range(8)
"""The classes of characters. Other marks than these two stand between words."""

_CODES = 0x40000
"""Code points from here on are marks."""

_BASES = (0x9E3779B97F4A7C15, 0xD1342543DE82EF95)
"""Odd, so that they have inverses modulo 2**64."""

_BEGINS = 1 << 21
"""Added to the code of a word's first character: `the rapist` is not `therapist`."""


@dataclass(frozen=True)
class Scan:
    """The words of some texts, one after the other; text t has words `first[t]` to `first[t + 1]`.

    `owner` is the number of each text among those asked for. A long text comes in several pieces,
    one a scan: `words` words of it stand before this one. `start` and `end` are half-open ranges of
    words among all characters here; `shift` is what to take off for the place in the text.
    `low` and `high` are the same ranges among the characters that are not white space; `sums` are
    prefix hashes over these, for each base. `marks` says which characters are marks.
    """

    owner: NDArray[np.int64]
    words: int
    first: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    shift: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    sums: tuple[NDArray[np.uint64], ...]
    marks: NDArray[np.bool_]

    def before(self, words: int) -> Scan:
        """The first words of a scan of one text."""
        import numpy as np

        names = ("start", "end", "shift", "low", "high")
        cut = {name: getattr(self, name)[:words] for name in names}
        return replace(self, first=np.array([0, words]), **cut)

    def text(self) -> NDArray[np.int64]:
        """The text of every word, as its place in `owner`."""
        import numpy as np

        return np.repeat(np.arange(len(self.owner)), np.diff(self.first))

    def runs(self, n: int) -> NDArray[np.int64]:
        """The first word of every run of n words within a text."""
        import numpy as np

        text = self.text()
        if len(text) < n:
            return np.zeros(0, np.int64)
        return np.flatnonzero(text[: len(text) - n + 1] == text[n - 1 :])

    def hashes(self, runs: NDArray[np.int64], n: int, base: int) -> NDArray[np.uint64]:
        """A hash of each run of n words that begins at one of the words `runs`.

        `base` is 0 or 1; the two hashes are independent.
        """
        return self._between(self.low[runs], self.high[runs + (n - 1)], base)

    def _between(
        self, low: NDArray[np.int64], high: NDArray[np.int64], base: int
    ) -> NDArray[np.uint64]:
        import numpy as np

        sums = self.sums[base]
        hashes = (sums[high] - sums[low]) * _powers(base, _size(len(sums)), inverse=True)[low]
        return mixed(hashes + (high - low).astype(np.uint64))

    def edges(
        self, runs: NDArray[np.int64], n: int
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """The marks that touch each run of n words, before it and behind it, 0 for none.

        The last 8 bits are their number, up to 255, the others a hash of them.
        """
        import numpy as np

        solid = np.concatenate([[-1], np.flatnonzero(~self.marks), [len(self.marks)]])
        last = runs + (n - 1)
        start, end = self.start[runs], self.end[last]
        before = start - solid[np.searchsorted(solid, start) - 1] - 1
        behind = solid[np.searchsorted(solid, end)] - end
        low, high = self.low[runs], self.high[last]
        return (
            _packed(self._between(low - before, low, 1), before),
            _packed(self._between(high, high + behind, 1), behind),
        )

    def anchors(self, n: int) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """The first words of the anchors of all runs of n words, and the anchors' hashes.

        An anchor is a run of `anchor_words(n)` words. It has the smallest hash in some run of n
        words; of several that tie, each is an anchor.
        """
        import numpy as np

        size = anchor_words(n)
        width = n - size + 1
        whole = np.zeros(len(self.start), bool)
        whole[self.runs(n)] = True
        count = len(self.start) - n + 1
        if count <= 0:
            return np.zeros(0, np.int64), np.zeros(0, np.uint64)
        hashes = self.hashes(np.arange(count + width - 1), size, 0)
        least = np.where(whole[:count], _sliding(np.minimum, hashes, width), np.uint64(0))
        edge = np.zeros(width - 1, np.uint64)
        most = _sliding(np.maximum, np.concatenate([edge, least, edge]), width)
        at = np.flatnonzero(most == hashes)
        return at, hashes[at]


def anchor_words(n: int) -> int:
    """The words of an anchor of a run of n words: about half of them."""
    return max(1, n // 2)


def count_words(text: str) -> int:
    """The number of words of a text."""
    return sum(len(scan.start) for scan in scans([text], 1))


def scans(texts: Sequence[str], n: int) -> Iterator[Scan]:
    """Yield the words of texts in blocks of about `BLOCK` characters.

    A longer text comes in pieces that share n - 1 words, so that every run of n words stands whole
    in just one of them.
    """
    import numpy as np

    texts = [text[:LONGEST] for text in texts]
    short = [place for place, text in enumerate(texts) if len(text) <= BLOCK]
    done = 0
    for block in blocks([texts[place] for place in short]):
        owners = np.array(short[done : done + len(block)], np.int64)
        done += len(block)
        yield _scanned(block, owners, 0, 0)
    for place, text in enumerate(texts):
        if len(text) > BLOCK:
            yield from _in_pieces(text, np.array([place], np.int64), n)


def _in_pieces(text: str, owner: NDArray[np.int64], n: int) -> Iterator[Scan]:
    start, words, size = 0, 0, BLOCK
    while True:
        is_last = start + size >= len(text)
        piece = _scanned([text[start : start + size]], owner, start, words)
        whole = len(piece.start) - (0 if is_last else 1)  # the end may cut a word in two
        if not is_last and whole < 4 * n:  # else most of the next piece would be read again
            size *= 2
            continue
        yield piece if is_last else piece.before(whole)
        if is_last:
            return
        following = whole - (n - 1)
        start += int(piece.start[following])
        words, size = words + following, BLOCK


def _scanned(texts: Sequence[str], owner: NDArray[np.int64], chars: int, words: int) -> Scan:
    """The words of texts, or of the piece of one text behind so many characters and words."""
    import numpy as np

    joined = "\n".join(texts)
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    classes = _classes().take(codes, mode="clip")
    kinds = _joined(classes) if (classes >= SIGN).any() else classes
    begins, starts, ends = _words(classes, kinds)
    seen = classes != SPACE
    values = codes[seen] + begins[seen] * np.uint64(_BEGINS)
    rank = np.cumsum(seen, dtype=np.int64)
    sums = []
    for base in range(len(_BASES)):
        terms = values * _powers(base, _size(len(values) + 1))[: len(values)]
        sums.append(np.concatenate([np.zeros(1, np.uint64), np.cumsum(terms, dtype=np.uint64)]))
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    offsets = np.concatenate([[0], np.cumsum(lengths + 1)])
    first = np.searchsorted(starts, offsets)
    shift = np.repeat(offsets[:-1], np.diff(first)) - chars
    low, high = rank[starts] - 1, rank[ends - 1]
    return Scan(owner, words, first, starts, ends, shift, low, high, tuple(sums), kinds == MARK)


def _words(
    classes: NDArray[np.uint8], kinds: NDArray[np.uint8]
) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
    """Whether each character begins a word, and where words start and end."""
    import numpy as np

    lettered = (kinds >= LETTER) & (kinds <= SOUTHEAST_LETTER)
    before = np.concatenate([np.zeros(1, np.uint8), kinds[:-1]])
    begins = lettered & ((kinds != before) | (kinds == IDEOGRAPH))
    if kinds is not classes:
        begins &= (classes != SIGN) & (classes != APOSTROPHE)
    after = np.concatenate([begins[1:], np.ones(1, bool)])
    ends_here = lettered & (after | ~np.concatenate([lettered[1:], np.zeros(1, bool)]))
    return begins, np.flatnonzero(begins), np.flatnonzero(ends_here) + 1


def _joined(classes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The classes of characters, with vowel signs and apostrophes as what they are here.

    A vowel sign behind a letter is a letter, and so is an apostrophe between two letters. All
    others are marks.
    """
    import numpy as np

    at = np.arange(len(classes))
    last = np.maximum.accumulate(np.where(classes == SIGN, 0, at))
    kinds: NDArray[np.uint8] = classes[last]
    is_sign = classes == SIGN
    kinds[is_sign & (kinds != LETTER)] = MARK
    apostrophes = np.flatnonzero(kinds == APOSTROPHE)
    kinds[kinds == APOSTROPHE] = MARK
    inner = apostrophes[(apostrophes > 0) & (apostrophes < len(classes) - 1)]
    joins = (kinds[inner - 1] == LETTER) & (classes[inner + 1] == LETTER)
    kinds[inner[joins]] = LETTER
    return kinds


@cache
def _classes() -> NDArray[np.uint8]:
    """The class of each code point; the last entry stands for higher ones."""
    import numpy as np

    classes = np.full(_CODES + 1, MARK, np.uint8)
    chars = [chr(code) for code in range(_CODES)]
    classes[:-1][np.fromiter(map(str.isalnum, chars), bool)] = LETTER
    classes[:-1][np.fromiter(map(str.isspace, chars), bool)] = SPACE
    for code in (*range(0x0300, 0x0E00), *range(0x0F00, 0x1000)):
        if category(chr(code)).startswith("M"):
            classes[code] = SIGN
    letters = classes == LETTER
    for ranges, kind in ((HANGUL, HANGUL_LETTER), (SOUTHEAST, SOUTHEAST_LETTER)):
        classes[_inside(ranges) & (letters | (kind == HANGUL_LETTER))] = kind
    classes[_inside(IDEOGRAPHS)] = IDEOGRAPH
    classes[[ord("'"), ord("’")]] = APOSTROPHE
    return classes


def _inside(ranges: Ranges) -> NDArray[np.bool_]:
    import numpy as np

    inside = np.zeros(_CODES + 1, bool)
    for first, last in ranges:
        inside[first : min(last, _CODES - 1) + 1] = True
    return inside


def _size(length: int) -> int:
    """The next power of two, of which tables of powers are made."""
    return 1 << max(10, (length - 1).bit_length())


@cache
def _powers(base: int, length: int, *, inverse: bool = False) -> NDArray[np.uint64]:
    """The first powers of a base, or of its inverse, modulo 2**64."""
    import numpy as np

    factor = pow(_BASES[base], -1, 1 << 64) if inverse else _BASES[base]
    factors = np.full(length, factor, np.uint64)
    factors[0] = 1
    return np.multiply.accumulate(factors)


def _packed(hashes: NDArray[np.uint64], number: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Hashes of marks and their number in 32 bits; 0 for none, and for more than 255."""
    import numpy as np

    told = (number > 0) & (number < 256)
    packed = (hashes & np.uint64(0xFFFFFF00)) | number.astype(np.uint64)
    return np.where(told, packed, 0).astype(np.uint32)


def _sliding(
    fold: Callable[..., Any], values: NDArray[np.uint64], width: int
) -> NDArray[np.uint64]:
    """The smallest or largest of every `width` values in a row; `fold` is of two arrays."""
    size = 1
    while 2 * size <= width:
        values = fold(values[:-size], values[size:])
        size *= 2
    rest = width - size
    folded: NDArray[np.uint64] = fold(values[:-rest], values[rest:]) if rest else values
    return folded
