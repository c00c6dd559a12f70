"""Gopher's repetition filter (Rae et al. 2021, arXiv 2112.11446, section A1.1, table A1).

Every signal is a share of a text. Lines, paragraphs and n-grams of tokens count as the reference
implementation, datatrove's, counts them:

- a line or paragraph is repeated if it stood before;
- the top n-gram is the most frequent one, the first among equals, with a space between its tokens.
  **It counts even where it stands once**, as the paper words it: a text of fewer than about 25
  words fails by its brevity. For short texts open these limits, or leave the set out;
- repeated n-grams are looked for from the left: one that was met before counts with its
  characters, and the search goes on behind it.

Written for text with spaces between words: what has none is not measured here (see `cjk`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from curate.clean.rules.features import Features
from curate.clean.rules.signals import Signal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TOP = {2: 0.20, 3: 0.18, 4: 0.16}
_DUPLICATE = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}

SIGNALS: Mapping[str, Signal] = {
    "duplicate_paragraphs": Signal("share of the paragraphs that stood before", high=0.30),
    "duplicate_paragraph_chars": Signal("share of characters in such paragraphs", high=0.20),
    "duplicate_lines": Signal("share of the lines that stood before", high=0.30),
    "duplicate_line_chars": Signal("share of characters in such lines", high=0.20),
    **{
        f"top_{n}_gram": Signal(f"share of characters in the most frequent {n}-gram", high=limit)
        for n, limit in _TOP.items()
    },
    **{
        f"duplicate_{n}_grams": Signal(f"share of characters in repeated {n}-grams", high=limit)
        for n, limit in _DUPLICATE.items()
    },
}


def measure(batch: Sequence[Features]) -> NDArray[np.float64]:
    """Return the signals of many texts, one row each, in the order of `SIGNALS`."""
    import numpy as np

    sizes = np.array([len(each.text) or 1 for each in batch], float)
    parts = np.array([_parts(each) for each in batch], float).reshape(-1, 4)
    parts[:, 1::2] /= sizes[:, None]
    tokens = Tokens.of(batch)
    again = tokens.bigrams()
    grams = []
    for n in range(2, 11):
        if n > 2:
            again = again.extended()
        chars = tokens.top_chars(again, n) if n in _TOP else tokens.duplicate_chars(again, n)
        grams.append(chars / sizes)
    return np.column_stack([parts, *grams])


def _parts(features: Features) -> tuple[float, int, float, int]:
    return (*repeated(features.paragraphs), *repeated(features.broken_lines))


def repeated(parts: Sequence[str]) -> tuple[float, int]:
    """Return the share of parts that stood before, and their characters."""
    distinct = set(parts)
    more = len(parts) - len(distinct)
    if not more:
        return 0.0, 0
    return more / len(parts), sum(map(len, parts)) - sum(map(len, distinct))


@dataclass(frozen=True)
class Repeats:
    """The places of the n-grams that occur more than once in their text, in order.

    `first` holds, for every token of the batch, the place at which the n-gram that begins there
    first stood; -1 where it occurs once. `counts` has one entry per distinct n-gram, by `starts`,
    its first places.
    """

    places: NDArray[np.int64]
    first: NDArray[np.int64]
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]

    def extended(self) -> Repeats:
        """Return the same of (n + 1)-grams: repeated only where both n-grams within them are."""
        import numpy as np

        first, places = self.first, self.places
        inner = places[first[np.minimum(places + 1, len(first) - 1)] >= 0]
        inner = inner[inner + 1 < len(first)]
        return _repeats(inner, first[inner] * len(first) + first[inner + 1], len(first))


def _repeats(places: NDArray[np.int64], keys: NDArray[np.int64], size: int) -> Repeats:
    """Return which of the keys at some places, in order, occur more than once."""
    import numpy as np
    import pyarrow as pa

    first = np.full(size, -1)
    if not len(places):
        return Repeats(places, first, places, places)
    codes = pa.array(keys).dictionary_encode().indices.to_numpy()
    counts = np.bincount(codes)
    starts = np.empty(len(counts), np.int64)
    starts[codes[::-1]] = places[::-1]
    several = counts > 1
    shared = several[codes]
    places, codes = places[shared], codes[shared]
    first[places] = starts[codes]
    return Repeats(places, first, starts[several], counts[several])


@dataclass(frozen=True)
class Tokens:
    """The tokens of many texts, one text after the other.

    `bounds` has one more entry than there are texts; `ends[k]` are the characters of the first k
    tokens.
    """

    ids: NDArray[np.int64]
    text: NDArray[np.int64]
    bounds: NDArray[np.int64]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, batch: Iterable[Features]) -> Tokens:
        """Put the tokens of some texts in a row."""
        import numpy as np

        runs = [each.tokens for each in batch]
        lengths = [each.token_lengths for each in batch]
        counts = [len(run) for run in runs]
        bounds = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
        ids = np.fromiter(chain.from_iterable(runs), np.int64, bounds[-1])
        sizes = np.fromiter(chain.from_iterable(lengths), np.int64, bounds[-1])
        text = np.repeat(np.arange(len(runs)), counts)
        return cls(ids, text, bounds, np.concatenate([[0], np.cumsum(sizes)]))

    def bigrams(self) -> Repeats:
        """Return the bigrams that occur more than once in their text."""
        import numpy as np

        places = np.flatnonzero(self.text[1:] == self.text[:-1])
        wide = int(self.ids.max(initial=0)) + 1
        keys = (self.text[places] * wide + self.ids[places]) * wide + self.ids[places + 1]
        return _repeats(places, keys, len(self.ids))

    def top_chars(self, again: Repeats, n: int) -> NDArray[np.int64]:
        """Return the characters of all occurrences of each text's most frequent n-gram."""
        import numpy as np

        sizes = np.diff(self.bounds)
        place, count = self.bounds[:-1].copy(), np.ones(len(sizes), np.int64)
        # The last to be written stays: the most frequent, and of equals the first.
        order = np.lexsort((-again.starts, again.counts))
        texts = self.text[again.starts[order]]
        place[texts], count[texts] = again.starts[order], again.counts[order]
        inside = np.minimum(place + n, len(self.ids))
        place = np.minimum(place, inside)
        chars = self.ends[inside] - self.ends[place] + n - 1
        return np.where(sizes >= n, count * chars, 0)

    def duplicate_chars(self, again: Repeats, n: int) -> NDArray[np.int64]:
        """Return the characters of each text in n-grams met before, from the left, apart."""
        import numpy as np

        seen: set[int] = set()
        taken: list[int] = []
        free = 0
        places = again.places
        for place, start in zip(places.tolist(), again.first[places].tolist(), strict=True):
            if place < free:
                continue
            if start in seen:
                taken.append(place)
                free = place + n
            else:
                seen.add(start)
        at = np.array(taken, np.int64)
        chars = self.ends[at + n] - self.ends[at]
        return np.bincount(self.text[at], chars, len(self.bounds) - 1).astype(np.int64)
