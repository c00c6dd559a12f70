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

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from curate.clean.features import Features
from curate.clean.signals import Signal

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

_TOPS = {n: f"top_{n}_gram" for n in _TOP}
_DUPLICATES = {n: f"duplicate_{n}_grams" for n in _DUPLICATE}


def measure(features: Features) -> dict[str, float]:
    """Return all repetition signals of a text."""
    size = len(features.text) or 1
    paragraphs, paragraph_chars = repeated(features.paragraphs)
    lines, line_chars = repeated(features.broken_lines)
    found = {
        "duplicate_paragraphs": paragraphs,
        "duplicate_paragraph_chars": paragraph_chars / size,
        "duplicate_lines": lines,
        "duplicate_line_chars": line_chars / size,
        **dict.fromkeys(_TOPS.values(), 0.0),
        **dict.fromkeys(_DUPLICATES.values(), 0.0),
    }
    tokens = features.tokens
    again = bigrams(tokens)
    for n in range(2, 11):
        if n > 2:
            again = extended(again)
        if n in _TOPS:
            found[_TOPS[n]] = top_chars(features, again, n) / size
        elif not again:
            break
        if n in _DUPLICATES:
            found[_DUPLICATES[n]] = duplicate_chars(features.ends, again, n) / size
    return found


def repeated(parts: Sequence[str]) -> tuple[float, int]:
    """Return the share of parts that stood before, and their characters."""
    distinct = set(parts)
    more = len(parts) - len(distinct)
    if not more:
        return 0.0, 0
    return more / len(parts), sum(map(len, parts)) - sum(map(len, distinct))


def bigrams(tokens: Sequence[int]) -> dict[int, int]:
    """Return the places of the bigrams that occur more than once → the first place of each."""
    seen: dict[tuple[int, int], int] = {}
    first = seen.setdefault
    places = {at: first(pair, at) for at, pair in enumerate(pairwise(tokens))}
    return _shared(places, len(seen))


def extended(again: Mapping[int, int]) -> dict[int, int]:
    """Return the same of (n + 1)-grams, from those of n-grams.

    A run of tokens is only repeated where the two shorter runs within it are.
    """
    seen: dict[tuple[int, int], int] = {}
    first = seen.setdefault
    places = {
        at: first((start, again[at + 1]), at) for at, start in again.items() if at + 1 in again
    }
    return _shared(places, len(seen))


def _shared(places: dict[int, int], distinct: int) -> dict[int, int]:
    """Return the places of what occurs more than once, in order."""
    if len(places) == distinct:
        return {}
    shared = {start for at, start in places.items() if at != start}
    return {at: start for at, start in places.items() if start in shared}


def top_chars(features: Features, again: Mapping[int, int], n: int) -> int:
    """Return the characters in all occurrences of the most frequent n-gram."""
    tokens = features.tokens
    if len(tokens) < n:
        return 0
    place, count = 0, 1
    if again:
        (place, count) = Counter(again.values()).most_common(1)[0]
    lengths = features.lexicon.lengths
    return count * (sum(lengths[token] for token in tokens[place : place + n]) + n - 1)


def duplicate_chars(ends: Sequence[int], again: Mapping[int, int], n: int) -> int:
    """Return the characters in n-grams met before, searched from the left without overlap.

    `ends[k]` are the characters of the first k tokens.
    """
    seen: set[int] = set()
    chars = free = 0
    for at, start in again.items():
        if at < free:
            continue
        if start in seen:
            chars += ends[at + n] - ends[at]
            free = at + n
        else:
            seen.add(start)
    return chars
