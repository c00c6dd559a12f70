"""Gopher's repetition filter (Rae et al. 2021, arXiv 2112.11446, section A1.1, table A1).

Every signal is a share of a text. Lines, paragraphs and n-grams of tokens are counted as in the
reference implementation, datatrove:

- a line or paragraph is repeated if it occurred before;
- the top n-gram is the most frequent one, and the first of equally frequent ones. Its characters
  include a space between tokens. **It counts even if it occurs once**, as in the paper: a text of
  fewer than about 25 words fails because it is short. For short texts open these limits, or leave
  the set out;
- repeated n-grams are searched from the left. One that occurred before counts with its characters,
  and the search continues behind it.

Text without spaces between words is not measured here (see `cjk`).
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
    "duplicate_paragraphs": Signal("share of the paragraphs that occurred before", high=0.30),
    "duplicate_paragraph_chars": Signal("share of characters in such paragraphs", high=0.20),
    "duplicate_lines": Signal("share of the lines that occurred before", high=0.30),
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
    """The signals of many texts: shape (texts, signals), in the order of `SIGNALS`."""
    import numpy as np

    sizes = np.array([len(features.text) or 1 for features in batch], float)
    parts = np.array([_parts(features) for features in batch], float).reshape(-1, 4)
    parts[:, 1::2] /= sizes[:, None]
    tokens = Tokens.of(batch)
    repeats = tokens.bigrams()
    grams = []
    for n in range(2, 11):
        if n > 2:
            repeats = repeats.extended()
        chars = tokens.top_chars(repeats, n) if n in _TOP else tokens.duplicate_chars(repeats, n)
        grams.append(chars / sizes)
    return np.column_stack([parts, *grams])


def _parts(features: Features) -> tuple[float, int, float, int]:
    return (*repeated(features.paragraphs), *repeated(features.broken_lines))


def repeated(parts: Sequence[str]) -> tuple[float, int]:
    """The share of the parts that occurred before, and the characters in them."""
    distinct = set(parts)
    more = len(parts) - len(distinct)
    if not more:
        return 0.0, 0
    return more / len(parts), sum(map(len, parts)) - sum(map(len, distinct))


@dataclass(frozen=True)
class Repeats:
    """The n-grams that occur more than once in their text.

    `places` are the tokens at which they begin, in order. `first` has one entry per token of the
    batch: the place where the n-gram that begins there first occurred, or -1 if it occurs once.
    `counts` has one entry per distinct n-gram; `starts` has its first place.
    """

    places: NDArray[np.int64]
    first: NDArray[np.int64]
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]

    def extended(self) -> Repeats:
        """The repeats of (n + 1)-grams. One is only repeated if both n-grams in it are."""
        import numpy as np

        first, places = self.first, self.places
        inner = places[first[np.minimum(places + 1, len(first) - 1)] >= 0]
        inner = inner[inner + 1 < len(first)]
        return _repeats(inner, first[inner] * len(first) + first[inner + 1], len(first))


def _repeats(places: NDArray[np.int64], keys: NDArray[np.int64], size: int) -> Repeats:
    """The repeats among the keys at `places`, in order, for `size` tokens in all."""
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

    `text` is the number of each token's text. The tokens of text t begin at `bounds[t]` and end
    before `bounds[t + 1]`. `ends[k]` is the number of characters in the first k tokens.
    """

    ids: NDArray[np.int64]
    text: NDArray[np.int64]
    bounds: NDArray[np.int64]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, batch: Iterable[Features]) -> Tokens:
        """Concatenate the tokens of the texts."""
        import numpy as np

        runs = [features.tokens for features in batch]
        lengths = [features.token_lengths for features in batch]
        counts = [len(run) for run in runs]
        bounds = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
        ids = np.fromiter(chain.from_iterable(runs), np.int64, bounds[-1])
        sizes = np.fromiter(chain.from_iterable(lengths), np.int64, bounds[-1])
        text = np.repeat(np.arange(len(runs)), counts)
        return cls(ids, text, bounds, np.concatenate([[0], np.cumsum(sizes)]))

    def bigrams(self) -> Repeats:
        """The bigrams that occur more than once in their text."""
        import numpy as np

        places = np.flatnonzero(self.text[1:] == self.text[:-1])
        wide = int(self.ids.max(initial=0)) + 1
        keys = (self.text[places] * wide + self.ids[places]) * wide + self.ids[places + 1]
        return _repeats(places, keys, len(self.ids))

    def top_chars(self, repeats: Repeats, n: int) -> NDArray[np.int64]:
        """The characters in all occurrences of each text's most frequent n-gram: shape (texts,)."""
        import numpy as np

        sizes = np.diff(self.bounds)
        place, count = self.bounds[:-1].copy(), np.ones(len(sizes), np.int64)
        # The last write wins: the most frequent n-gram, and the first of equally frequent ones.
        order = np.lexsort((-repeats.starts, repeats.counts))
        texts = self.text[repeats.starts[order]]
        place[texts], count[texts] = repeats.starts[order], repeats.counts[order]
        inside = np.minimum(place + n, len(self.ids))
        place = np.minimum(place, inside)
        chars = self.ends[inside] - self.ends[place] + n - 1
        return np.where(sizes >= n, count * chars, 0)

    def duplicate_chars(self, repeats: Repeats, n: int) -> NDArray[np.int64]:
        """The characters in each text's repeated n-grams, without overlaps: shape (texts,)."""
        import numpy as np

        seen: set[int] = set()
        counted_places: list[int] = []
        free = 0
        places = repeats.places
        for place, start in zip(places.tolist(), repeats.first[places].tolist(), strict=True):
            if place < free:
                continue
            if start in seen:
                counted_places.append(place)
                free = place + n
            else:
                seen.add(start)
        at = np.array(counted_places, np.int64)
        chars = self.ends[at + n] - self.ends[at]
        return np.bincount(self.text[at], chars, len(self.bounds) - 1).astype(np.int64)
