"""FineWeb's own filters (Penedo et al. 2024, arXiv 2406.17557, section 3.6).

They were tuned on the first crawls of Common Crawl, for English web pages. Other languages have the
limits of FineWeb2, where it has them (see `norms`), and are not measured elsewhere. Text without
spaces is not measured here (see `cjk`).
"""

from __future__ import annotations

from collections.abc import Mapping

from curate.clean.rules.features import Features
from curate.clean.rules.gopher_repetition import repeated
from curate.clean.rules.signals import Signal
from curate.clean.rules.tokenizing import TERMINAL

SHORT = 30
"""A line of up to this many characters is short."""

SIGNALS: Mapping[str, Signal] = {
    "punctuated_lines": Signal("share of the lines that end a sentence", low=0.12),
    "short_lines": Signal(f"share of the lines of up to {SHORT} characters", high=0.67),
    "duplicate_line_chars": Signal(
        "share of the characters, line ends aside, in lines that occurred before", high=0.01
    ),
    "line_ends": Signal("line ends per token: lists have many", high=0.3),
}


def measure(features: Features) -> dict[str, float]:
    """The signals of a text. A text without lines has no punctuated line."""
    lines, text = features.lines, features.text
    count = len(lines) or 1
    breaks = text.count("\n")
    return {
        "punctuated_lines": sum(line[-1] in TERMINAL for line in lines) / count,
        "short_lines": sum(len(line) <= SHORT for line in lines) / count,
        "duplicate_line_chars": repeated(lines)[1] / ((len(text) - breaks) or 1),
        "line_ends": breaks / (len(features.tokens) or 1),
    }
