"""A rule set for Chinese, Japanese, Thai and other text without spaces between words.

The limits of Gopher, C4 and FineWeb do not work there: no text has 50 "words", no line ends in an
ASCII full stop, and single characters repeat more than words do. This set counts characters. It is
our own and not from a paper. Its results are in tests/benchmarks/results/web_quality.json.

The signals were chosen on hplt_web_quality (web text in 17 languages, with people's judgement of
what is unnatural). Within each language, repeated runs, few letters and many digits separate the
unnatural texts best. The limits come from other texts, since hplt_web_quality holds no text without
spaces and most shares differ between scripts. They are set so that about one in a hundred Chinese
texts fails, among texts of 100 characters or more that people wrote on purpose: restaurant and shop
reviews, news, LibreOffice's help, manual pages. The limits of repeated runs mean the same in every
script: on hplt_web_quality they drop five times as many unnatural texts as natural ones. 100
characters correspond to Gopher's 50 words: LibreOffice's help has 2.1 Chinese characters for each
English word.

Vowel signs and tone marks count as letters. Thai, Lao, Burmese and Khmer use spaces where Chinese
and Japanese use punctuation, so punctuation is not measured there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from math import log2, nan
from unicodedata import category

from curate.clean.rules.features import UNSPACED, Features
from curate.clean.rules.signals import Signal
from curate.clean.rules.tokenizing import TERMINAL
from curate.scripts import SOUTHEAST, inside

_PUNCTUATION = re.compile(r"[，。！？；：、．｡､,.!?;:…]")
_MARKLESS = re.compile(f"[{inside(SOUTHEAST)}]")
_ENDS = TERMINAL | set("…”」』\"'")

SIGNALS: Mapping[str, Signal] = {
    "chars": Signal("characters that are not white space", low=100, high=200_000),
    "letters": Signal("share of these that are letters", low=0.6),
    "digits": Signal("share that are digits", high=0.2),
    "punctuation": Signal("share that are marks of sentences", low=0.015, high=0.25),
    "entropy": Signal("bits a character, by how often each occurs"),
    "repeated_8": Signal("share of the runs of 8 characters that occurred before", high=0.35),
    "repeated_16": Signal("share of the runs of 16 characters that occurred before", high=0.25),
    "top_4": Signal("share of characters in repeats of the most frequent run of 4", high=0.2),
    "short_lines": Signal("share of the lines of up to 10 characters", high=0.85),
    "punctuated_lines": Signal("share of the lines that end a sentence"),
}


def measure(features: Features) -> dict[str, float]:
    """The signals of a text. White space is left out, except to find lines."""
    dense = "".join(features.text.split())
    size = len(dense) or 1
    char_counts = Counter(dense)
    lines = [line.strip() for line in features.lines]
    count = len(lines) or 1
    fours = Counter(dense[at : at + 4] for at in range(len(dense) - 3))
    markless = len(_MARKLESS.findall(dense)) >= UNSPACED * size
    return {
        "chars": len(dense),
        "letters": sum(n for char, n in char_counts.items() if _of_a_letter(char)) / size,
        "digits": sum(n for char, n in char_counts.items() if char.isdigit()) / size,
        "punctuation": nan if markless else len(_PUNCTUATION.findall(dense)) / size,
        "entropy": -sum(n / size * log2(n / size) for n in char_counts.values()),
        "repeated_8": repeated(dense, 8),
        "repeated_16": repeated(dense, 16),
        "top_4": 4 * (max(fours.values(), default=1) - 1) / size,
        "short_lines": sum(len(line) <= 10 for line in lines) / count,
        "punctuated_lines": sum(line[-1] in _ENDS for line in lines) / count,
    }


def _of_a_letter(char: str) -> bool:
    return char.isalpha() or category(char).startswith("M")


def repeated(text: str, n: int) -> float:
    """The share of the runs of n characters that occurred before."""
    runs = len(text) - n + 1
    if runs < 2:
        return 0.0
    return 1 - len({text[at : at + n] for at in range(runs)}) / runs
