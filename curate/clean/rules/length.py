"""Limits on length: texts too short to say anything, or too long to be one document.

At least the words of a short sentence, at most Gopher's 100,000 (arXiv 2112.11446, section A1.1).
"""

from __future__ import annotations

from collections.abc import Mapping

from curate.clean.rules.features import Features
from curate.clean.rules.signals import Signal

SIGNALS: Mapping[str, Signal] = {
    "chars": Signal("characters, without white space around the text", low=1),
    "words": Signal("words; characters, in scripts without spaces", low=3, high=100_000),
}


def measure(features: Features) -> dict[str, float]:
    """The length of a text in characters and in words."""
    return {"chars": float(len(features.text.strip())), "words": float(len(features.words))}
