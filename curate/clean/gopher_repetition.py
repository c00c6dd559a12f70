"""Gopher's repetition filter (Rae et al. 2021, arXiv 2112.11446, section A1.1, table A1).

Every signal is a share, 0 to 1. Line and paragraph signals count repeats after the first; the
top n-gram signal is the share of characters in the most frequent n-gram; the duplicate n-gram
signal is the share of characters inside n-grams that occurred before, each character once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from curate.clean.features import Features
from curate.clean.signals import Signal

_TOP = {2: 0.20, 3: 0.18, 4: 0.16}
_DUPLICATE = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}

SIGNALS: Mapping[str, Signal] = {
    "duplicate_lines": Signal("share of the lines that stood before", high=0.30),
    "duplicate_paragraphs": Signal("share of the paragraphs that stood before", high=0.30),
    "duplicate_line_chars": Signal("share of characters in such lines", high=0.20),
    "duplicate_paragraph_chars": Signal("share of characters in such paragraphs", high=0.20),
    **{
        f"top_{n}_gram": Signal(f"share of characters in the most frequent {n}-gram", high=limit)
        for n, limit in _TOP.items()
    },
    **{
        f"duplicate_{n}_grams": Signal(f"share of characters in repeated {n}-grams", high=limit)
        for n, limit in _DUPLICATE.items()
    },
}


def measure(features: Features) -> dict[str, float]:
    """Return all repetition signals of a text."""
    text, lines, paragraphs = features.text, features.lines, features.paragraphs
    tokens = features.words
    return {
        "duplicate_lines": _repeated(lines),
        "duplicate_paragraphs": _repeated(paragraphs),
        "duplicate_line_chars": _repeated_chars(lines, text),
        "duplicate_paragraph_chars": _repeated_chars(paragraphs, text),
        **{f"top_{n}_gram": top_share(tokens, n) for n in _TOP},
        **{f"duplicate_{n}_grams": duplicate_share(tokens, n) for n in _DUPLICATE},
    }


def _repeated(parts: Sequence[str]) -> float:
    return 1 - len(set(parts)) / len(parts) if parts else 0.0


def _repeated_chars(parts: Sequence[str], text: str) -> float:
    repeats = sum(map(len, parts)) - sum(map(len, set(parts)))
    return repeats / len(text) if text else 0.0


def top_share(tokens: Sequence[str], n: int) -> float:
    """Return the share of characters in the most frequent n-gram; 0 if none occurs twice."""
    grams = Counter(zip(*(tokens[i:] for i in range(n)), strict=False))
    if not grams:
        return 0.0
    gram, count = max(grams.items(), key=lambda item: (item[1], sum(map(len, item[0]))))
    total = sum(map(len, tokens))
    return min(1.0, count * sum(map(len, gram)) / total) if count > 1 else 0.0


def duplicate_share(tokens: Sequence[str], n: int) -> float:
    """Return the share of characters inside n-grams that occurred before."""
    seen: set[tuple[str, ...]] = set()
    repeated = [False] * len(tokens)
    for at in range(len(tokens) - n + 1):
        gram = tuple(tokens[at : at + n])
        if gram in seen:
            repeated[at : at + n] = [True] * n
        seen.add(gram)
    total = sum(map(len, tokens))
    chars = sum(len(token) for token, again in zip(tokens, repeated, strict=True) if again)
    return chars / total if total else 0.0
