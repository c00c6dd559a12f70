"""What the offsets of another tool count, and where they lie in the text.

Curate counts code points. A browser counts UTF-16 units, in which an emoji or a rare ideograph is
two, and a page may show every run of white space as one space; some tools hand on what the browser
counted. Which it was is seen from the spans of a whole file: read in the right way, they begin and
end where words do, and cover the words that stand beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import category, normalize

from curate.text import cjk_share

Units = Sequence[int]
"""For each unit that is counted, the code point of the text that it belongs to."""

Range = tuple[int, int]
"""A half-open range of code points."""

WRONG = 3
"""A span outside of the text, or over other words than those beside it, counts as so many faults.

White space or a mark at an edge is one fault, and so is an edge within a word.
"""


@dataclass(frozen=True)
class Marked:
    """A span as a tool has it: the text, the offsets, and the words beside them, if any."""

    text: str
    start: int
    end: int
    words: str | None = None


def _characters(text: str) -> Units:
    return range(len(text))


def _utf16(text: str) -> Units:
    return [at for at, letter in enumerate(text) for _ in range(1 + (letter > "\uffff"))]


def _shown(text: str) -> Units:
    """The characters of a text as a page shows it: one space for each run of white space."""
    blank = [letter.isspace() for letter in text]
    units = [at for at, is_blank in enumerate(blank) if not is_blank or (at and not blank[at - 1])]
    return units[:-1] if units and blank[units[-1]] else units


def _shown_utf16(text: str) -> Units:
    return [at for at in _shown(text) for _ in range(1 + (text[at] > "\uffff"))]


CHARACTERS, UTF16 = "characters", "utf-16"

READINGS: dict[str, Callable[[str], Units]] = {
    CHARACTERS: _characters,
    UTF16: _utf16,
    "shown": _shown,
    "shown-utf-16": _shown_utf16,
}
"""What offsets may count, ours first: code points, UTF-16 units, or these of the text as shown."""


@lru_cache(maxsize=64)
def units_of(reading: str, text: str) -> Units:
    """The units of a text in a reading."""
    return READINGS[reading](text)


def place(units: Units, start: int, end: int) -> Range | None:
    """The code points of a range of units; None outside of the text, or within a character."""
    if not 0 <= start < end <= len(units):
        return None
    cuts = [at for at in (start, end) if 0 < at < len(units) and units[at - 1] == units[at]]
    return None if cuts else (units[start], units[end - 1] + 1)


def reading_of(marked: Iterable[Marked], allowed: Sequence[str]) -> tuple[str, int]:
    """What the offsets of some spans count: the reading with the fewest faults.

    Of equals it is the first. The number is of the spans that one of its equals would place
    elsewhere.
    """
    faults = dict.fromkeys(allowed, 0)
    differing = []
    for span in marked:
        found = {name: place(units_of(name, span.text), span.start, span.end) for name in allowed}
        if len({*found.values()}) > 1:
            differing.append(found)
            for name, own in found.items():
                faults[name] += _faults(span, own)
    best = min(allowed, key=faults.__getitem__)
    equals = [name for name in allowed if faults[name] == faults[best]]
    return best, sum(len({found[name] for name in equals}) > 1 for found in differing)


def _faults(span: Marked, own: Range | None) -> int:
    """What speaks against a place of a span."""
    if own is None:
        return WRONG
    start, end = own
    text, inside = span.text, span.text[start:end]
    if span.words is not None:
        return 0 if inside.split() == span.words.split() else WRONG
    edges = [category(inside[0])[0] in "PZC", category(inside[-1])[0] in "PZC"]
    cuts = [0 < at < len(text) and _is_one_word(text[at - 1], text[at]) for at in own]
    return sum(edges) + sum(cuts)


def _is_one_word(before: str, after: str) -> bool:
    """Whether two characters belong to one word; ideographs are words of their own."""
    is_mark = category(after)[0] == "M"
    return is_mark or (before.isalnum() and after.isalnum() and not cjk_share(before + after))


def respelled(text: str, other: str, start: int, end: int) -> Range | None:
    """The place in `other` of a range of `text`, which differ in how accents are composed.

    None where they differ in more.
    """
    pieces = [normalize("NFD", letter) for letter in text]
    units = [at for at, letter in enumerate(other) for _ in normalize("NFD", letter)]
    if "".join(pieces) != "".join(normalize("NFD", letter) for letter in other):
        return None
    before, within = (sum(map(len, pieces[:at])) for at in (start, end))
    if not 0 <= start < end <= len(text):
        return None
    return units[before], units[within - 1] + 1
