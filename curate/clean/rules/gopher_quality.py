"""Gopher's quality filter (Rae et al. 2021, arXiv 2112.11446, section A1.1).

The limits are the paper's, over tokens (see `tokenizing`): punctuation alone is not a word. Word
length is a mean in characters; all other signals are shares or counts. The stop words are those of
the text's language, and so are some limits (see `norms`); other languages are not measured.
A Chinese or Japanese character is a word, but the mean length is that of the other words.
Text without spaces is not measured here (see `cjk`).
"""

from __future__ import annotations

from collections.abc import Mapping

from curate.clean.rules.features import Features
from curate.clean.rules.signals import Signal

SIGNALS: Mapping[str, Signal] = {
    "words": Signal("words", low=50, high=100_000),
    "mean_word_length": Signal("mean characters of a word", low=3, high=10),
    "hashes": Signal("hash signs per token", high=0.1),
    "ellipses": Signal("ellipses per token", high=0.1),
    "bullet_lines": Signal("share of the lines that begin with a bullet", high=0.9),
    "ellipsis_lines": Signal("share of the lines that end with an ellipsis", high=0.3),
    "lettered": Signal("share of the tokens that hold a letter", low=0.8),
    "stop_words": Signal("how many of the language's most frequent words occur", low=2),
}


def measure(features: Features) -> dict[str, float]:
    """The quality signals of a text."""
    text = features.text
    tokens = len(features.tokens) or 1
    ideographs = features.ideographs
    lines = text.splitlines()
    bullets = sum(line.lstrip().startswith(("•", "-")) for line in lines)
    hashes = text.count("#")
    dots = text.count("...") + text.count("…")
    trailing = sum(line.rstrip().endswith(("...", "…")) for line in lines) if dots else 0
    return {
        "words": features.word_tokens,
        "mean_word_length": (features.word_token_chars - ideographs)
        / (features.word_tokens - ideographs or 1),
        "hashes": hashes / tokens,
        "ellipses": dots / tokens,
        "bullet_lines": bullets / (len(lines) or 1),
        "ellipsis_lines": trailing / (len(lines) or 1),
        "lettered": features.lettered_tokens / tokens,
        "stop_words": features.count_words(features.norm.stop_words if features.norm else {}),
    }
