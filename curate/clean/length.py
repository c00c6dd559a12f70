"""Texts that are too short to say anything, or too long to be one document."""

from __future__ import annotations

from collections.abc import Mapping

from curate.text import words

LIMITS: Mapping[str, tuple[float | None, float | None]] = {
    "length:chars": (1, None),
    "length:words": (3, 100_000),
}
"""Word bounds: at least a short sentence; at most Gopher's 100,000 (arXiv 2112.11446, A1.1)."""


def measure(text: str) -> dict[str, float]:
    """Return the length in characters and in words (characters, in scripts without spaces)."""
    return {"length:chars": float(len(text.strip())), "length:words": float(len(words(text)))}
