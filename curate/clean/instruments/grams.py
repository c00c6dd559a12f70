"""Words of any script as 64-bit hashes, and runs of them, for many texts at once.

A word is a run of letters and digits of one script, vowel signs included. In Chinese and Japanese
it is one character, whatever stands beside it. In Thai, Lao, Burmese and Khmer it is a run between
vowel signs, about five characters.
Case, width, composition of accents and punctuation make no difference, as in the literature on
overlap (Brown et al. 2020, arXiv 2005.14165, appendix C).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING
from unicodedata import category

from curate.scripts import HANGUL, IDEOGRAPH, OTHER_LETTER, SOUTHEAST_LETTER, inside, plain
from curate.text import composed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SIGNS = "".join(  # of scripts with spaces between words: Hebrew to Malayalam, and Tibetan
    char
    for char in map(chr, (*range(0x0300, 0x0E00), *range(0x0F00, 0x1000)))
    if category(char).startswith("M")
)
_WORD = re.compile(
    f"{IDEOGRAPH}|[{inside(HANGUL)}]+|{SOUTHEAST_LETTER}+"
    f"|{OTHER_LETTER}+(?:[{_SIGNS}]+{OTHER_LETTER}*)*"
)
_PLAIN_WORD = re.compile(f"[^\\W_]+(?:[{_SIGNS}]+[^\\W_]*)*")
_APOSTROPHES = re.compile("(?<=\\w)['’](?=\\w)")
_BASE = 0x9E3779B97F4A7C15
_HASHES: dict[str, int] = {}
_MOST_HASHES = 1 << 18


@dataclass(frozen=True)
class Hashed:
    """The word hashes of many texts: text t has `words[starts[t]:starts[t + 1]]`."""

    words: NDArray[np.uint64]
    starts: NDArray[np.int64]

    def grams(self, n: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """The hash of every run of n words within a text, and the number of that text."""
        hashes, text, _ = self.placed(n)
        return hashes, text

    def placed(self, n: int) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]:
        """As `grams`, and the word of its text at which each run begins, from 0."""
        import numpy as np

        count = len(self.words) - n + 1
        if count <= 0:
            return np.zeros(0, np.uint64), np.zeros(0, np.int64), np.zeros(0, np.int64)
        hashes: NDArray[np.uint64] = np.zeros(count, np.uint64)
        for place in range(n):
            hashes = hashes * np.uint64(_BASE) + self.words[place : place + count]
        hashes = _mixed(hashes)
        text = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        inside = np.flatnonzero(text[:count] == text[n - 1 :])
        text = text[inside]
        return hashes[inside], text, inside - self.starts[text]


def _mixed(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread every bit over all others (the finaliser of splitmix64)."""
    import numpy as np

    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        hashes = (hashes ^ (hashes >> np.uint64(shift))) * np.uint64(factor)
    return hashes ^ (hashes >> np.uint64(31))


def hashed(texts: Iterable[str]) -> Hashed:
    """Hash the words of texts. The hashes are the same on every machine."""
    import numpy as np

    if len(_HASHES) > _MOST_HASHES:
        _HASHES.clear()
    hashes: list[int] = []
    starts = [0]
    for text in texts:
        for word in words(text):
            value = _HASHES.get(word)
            if value is None:
                value = int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "little")
                _HASHES[word] = value
            hashes.append(value)
        starts.append(len(hashes))
    return Hashed(np.array(hashes, np.uint64), np.array(starts, np.int64))


def words(text: str) -> list[str]:
    """Split a text into its words, in the form in which they are compared."""
    text = composed(text, "NFKC")
    text = text.lower() if text.isascii() else text.casefold()
    text = _APOSTROPHES.sub("", text)
    return (_PLAIN_WORD if plain(text) else _WORD).findall(text)
