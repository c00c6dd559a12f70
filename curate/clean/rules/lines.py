"""Remove boilerplate from web pages, line by line: menus, dates, links, counters, calls to action.

Every line is described by a few numbers that do not depend on a language (its length, marks,
digits, capitals, the lines around it, its place on the page). A logistic regression estimates how
likely people would keep it. Unlikely lines are removed, as `edits` over the canonical text.

The coefficients were fitted on 23,625 lines of 586 web pages in German, Spanish, Finnish and
Swedish that people had judged (TurkuNLP, multilingual-register-labeling, text-quality-annotations),
each language with the same weight, by `python -m tests.benchmarks.web_quality --fit`. Its results
have the line F1 on each language when fitted on the other three, beside keeping everything and
beside C4's rule (Raffel et al. 2020). The numbers use no words of a language, except names that
sites share (`cookie`, `login`, …).

A text of fewer than three lines is not a page and is not changed. Do not use this set on code (see
`code`). Text without spaces between words is not changed either, nor is such a line among others:
nobody has judged such lines for us, and by these numbers a Chinese news article would lose nearly
all of its sentences.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from curate.clean.rules.features import Features, unspaced
from curate.clean.rules.signals import Signal
from curate.clean.rules.tokenizing import TERMINAL, words_of
from curate.scripts import ENDS
from curate.spec import Spec
from curate.text import Edit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from curate.workspace import Workspace

PAGE = 3
"""A text of at least this many lines is a page."""

SIGNALS: Mapping[str, Signal] = {
    "chars_kept": Signal("characters in the lines that stay", low=1),
    "share_kept": Signal("share of the lines, blank ones aside, that stay"),
}

_SITE = re.compile(
    rf"https?:|www\.|@|©|\||»|›|cookie|facebook|twitter|e-?mail|copyright|rss{ENDS}|login|online",
    re.IGNORECASE,
)
_ENDS = tuple(sorted(TERMINAL | set("…\"'”’»")))
_TRAILING = ("...", "…")

OWN = (
    *("log_chars", "terminal", "ellipsis", "digits", "capitals", "capitalised_words", "site"),
    *("comma_or_colon_at_end", "commas", "marks", "chars_per_word", "small_letter_first"),
)
"""The numbers that describe a line by itself."""

AROUND = ("log_chars", "terminal", "site")
WINDOWS = (1, 3, 10)
"""The numbers `AROUND` are averaged over the line and up to this many lines before and after."""

PLACE = ("longest_before", "longest_behind", "lines_before", "lines_behind", "repeated")

NAMES = (*OWN, *(f"{name}_{w}" for w in WINDOWS for name in AROUND), *PLACE)
"""All numbers that describe a line, in order."""


class LinesSpec(Spec):
    """The settings of the set `lines`."""

    keep: Annotated[
        float, Field(ge=0, le=1, description="Probability of being text from which a line stays.")
    ] = 0.4


def prepare(workspace: Workspace, settings: LinesSpec) -> float:
    """The probability from which a line is kept."""
    return settings.keep


def measure(features: Features, keep: float) -> tuple[dict[str, float], list[Edit]]:
    """The signals of a text, and the edits that remove lines."""
    spans = [(a, b) for a, b in _spans(features.text) if not features.text[a:b].isspace()]
    kept_spans, edits = spans, []
    if len(spans) >= PAGE:
        lines = [features.text[a:b] for a, b in spans]
        scored = zip(spans, lines, probabilities(lines).tolist(), strict=True)
        kept_spans = [span for span, line, score in scored if score >= keep or unspaced(line)]
        removed = {*spans} - {*kept_spans}
        edits = [(a, b, "") for a, b in spans if (a, b) in removed]
    chars = sum(len(features.text[a:b].strip()) for a, b in kept_spans)
    return {"chars_kept": chars, "share_kept": len(kept_spans) / (len(spans) or 1)}, edits


def _spans(text: str) -> list[tuple[int, int]]:
    """The range of every line, its line end included."""
    spans = []
    at = 0
    for line in text.split("\n"):
        end = min(at + len(line) + 1, len(text))
        if end > at:
            spans.append((at, end))
        at = end
    return spans


def probabilities(lines: Sequence[str]) -> NDArray[np.float64]:
    """The probability that people would keep each line of a page. No line may be blank."""
    import numpy as np

    scores = describe(lines) @ np.array([WEIGHTS[name] for name in NAMES]) + BIAS
    result: NDArray[np.float64] = 1 / (1 + np.exp(-scores))
    return result


def describe(lines: Sequence[str]) -> NDArray[np.float64]:
    """The numbers `NAMES` for each line of a page: shape (lines, numbers)."""
    import numpy as np

    stripped = [line.strip() for line in lines]
    own = np.array([_own_numbers(line) for line in stripped], float).reshape(-1, len(OWN))
    count = len(lines)
    at = np.arange(count)
    sums = np.zeros((count + 1, len(AROUND)))
    np.cumsum(own[:, [OWN.index(name) for name in AROUND]], axis=0, out=sums[1:])
    columns = [own]
    for width in WINDOWS:
        first, last = np.maximum(at - width, 0), np.minimum(at + width + 1, count)
        columns.append((sums[last] - sums[first]) / (last - first)[:, None])
    line_counts = Counter(stripped)
    longest = own[:, 0]
    place = [
        np.maximum.accumulate(longest),
        np.maximum.accumulate(longest[::-1])[::-1],
        np.minimum(at, 10),
        np.minimum(count - 1 - at, 10),
        np.array([line_counts[line] > 1 for line in stripped]),
    ]
    return np.hstack([*columns, np.column_stack(place)])


def _own_numbers(line: str) -> tuple[float, ...]:
    """The numbers `OWN` of one line."""
    from math import log1p

    chars, words = len(line) or 1, words_of(line)
    count = len(words) or 1
    letters = sum(map(str.isalpha, line)) or 1
    marks = sum([not char.isalnum() and not char.isspace() for char in line])
    trailing = line.endswith(_TRAILING)
    return (
        log1p(len(line)),
        not trailing and line.endswith(_ENDS),
        trailing,
        sum(map(str.isdigit, line)) / chars,
        sum(map(str.isupper, line)) / letters,
        sum([word[0].isupper() for word in words]) / count,
        _SITE.search(line) is not None,
        line.endswith((",", ":", ";")),
        line.count(",") / count,
        marks / chars,
        len(line) / count,
        line[:1].islower(),
    )


WEIGHTS: Mapping[str, float] = {
    "log_chars": 0.4819,
    "terminal": 0.2721,
    "ellipsis": -0.6884,
    "digits": -1.1981,
    "capitals": -0.1893,
    "capitalised_words": 0.5487,
    "site": -0.4606,
    "comma_or_colon_at_end": 1.4434,
    "commas": 0.0995,
    "marks": 1.1361,
    "chars_per_word": -0.0447,
    "small_letter_first": 1.7783,
    "log_chars_1": 0.06,
    "terminal_1": 0.3256,
    "site_1": -0.1859,
    "log_chars_3": 0.298,
    "terminal_3": 0.3874,
    "site_3": -0.3903,
    "log_chars_10": 0.5544,
    "terminal_10": 0.7242,
    "site_10": 0.3169,
    "longest_before": 0.3586,
    "longest_behind": 0.3371,
    "lines_before": -0.0567,
    "lines_behind": 0.0469,
    "repeated": -1.0225,
}
BIAS = -9.0731
