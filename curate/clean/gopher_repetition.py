"""Gopher's repetition filter (Rae et al. 2021, arXiv 2112.11446, section A1.1, table A1).

Every signal is a share, 0 to 1. Line and paragraph signals count repeats after the first; the
top n-gram signal is the share of characters in the most frequent n-gram; the duplicate n-gram
signal is the share of characters inside n-grams that occurred before, each character once.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from curate.text import words

_NAME = "gopher_repetition:"
_TOP = {2: 0.20, 3: 0.18, 4: 0.16}
_DUPLICATE = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}

LIMITS: Mapping[str, tuple[float | None, float | None]] = {
    f"{_NAME}duplicate_lines": (None, 0.30),
    f"{_NAME}duplicate_paragraphs": (None, 0.30),
    f"{_NAME}duplicate_line_chars": (None, 0.20),
    f"{_NAME}duplicate_paragraph_chars": (None, 0.20),
    **{f"{_NAME}top_{n}_gram": (None, limit) for n, limit in _TOP.items()},
    **{f"{_NAME}duplicate_{n}_grams": (None, limit) for n, limit in _DUPLICATE.items()},
}


def measure(text: str) -> dict[str, float]:
    """Return all repetition signals of a text."""
    lines = [line for line in text.split("\n") if line.strip()]
    paragraphs = [part for part in re.split(r"\n{2,}", text.strip()) if part]
    tokens = words(text)
    return {
        f"{_NAME}duplicate_lines": _repeated(lines),
        f"{_NAME}duplicate_paragraphs": _repeated(paragraphs),
        f"{_NAME}duplicate_line_chars": _repeated_chars(lines, text),
        f"{_NAME}duplicate_paragraph_chars": _repeated_chars(paragraphs, text),
        **{f"{_NAME}top_{n}_gram": top_share(tokens, n) for n in _TOP},
        **{f"{_NAME}duplicate_{n}_grams": duplicate_share(tokens, n) for n in _DUPLICATE},
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
