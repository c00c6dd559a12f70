"""Texts as Argilla must hold them: shown exactly, never markup, and every span comes back exact.

Argilla's page takes a text as HTML and counts spans in UTF-16 units of what it then shows; its
server wants a span to end within the code points that it stores. So a text is stored with `&`,
`<` and `>` escaped and with everything beyond the Basic Multilingual Plane as a numeric reference:
it runs nothing, it looks as it was written, and it is never stored shorter than it is counted,
without anything added that people would see.

    text    a<b 🙂 c        spans in code points here
    stored  a&lt;b &#128578; c
    shown   a<b 🙂 c        spans in UTF-16 units there

A canonical text comes back from what is stored as it was. Others are shown as near as a page can:
carriage returns as newlines, NUL and lone surrogates as U+FFFD; their spans are exact all the same.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

_NAMES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_CHARACTERS = {name: character for character, name in _NAMES.items()}


def shown(text: str) -> str:
    """Return what the page shows of a text; a canonical text is shown as it is."""
    lines = re.sub(r"\r\n?", "\n", text)
    return re.sub("[\0\ud800-\udfff]", "\ufffd", lines)


def stored(text: str) -> str:
    """Return what to store, so that the page shows the text."""
    return re.sub("[&<>\U00010000-\U0010ffff]", _reference, shown(text))


def restored(text: str) -> str:
    """Return what is shown of a text stored by `stored`."""
    return re.sub(r"&(?:amp|lt|gt|#[0-9]{5,7});", _character, text)


def _reference(match: re.Match[str]) -> str:
    character = match[0]
    return _NAMES.get(character) or f"&#{ord(character)};"


def _character(match: re.Match[str]) -> str:
    reference = match[0]
    if reference in _CHARACTERS:
        return _CHARACTERS[reference]
    number = int(reference[2:-1])
    return chr(number) if number <= 0x10FFFF else reference


class Offsets:
    """Spans of one text: code points here, UTF-16 units of what the page shows there."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._same = "\r" not in text and (text.isascii() or max(text) <= "\uffff")
        self._units = [] if self._same else _units(text)

    def there(self, start: int, end: int) -> tuple[int, int]:
        """Return a span of the text as the page counts it. The span must lie in the text."""
        if self._same:
            return start, end
        if self._in_line_end(start):
            start -= 1
        return self._units[start], self._units[end]

    def here(self, start: int, end: int) -> tuple[int, int]:
        """Return a span of the page in code points of the text.

        One that cuts a character takes it whole; what lies outside the text stays outside.
        """
        if self._same:
            return start, end
        return self._here(start, bisect_right(self._units, start) - 1), self._here(
            end, bisect_left(self._units, end)
        )

    def _here(self, unit: int, place: int) -> int:
        if unit < 0:
            return unit
        beyond = unit - self._units[-1]
        if beyond > 0:
            return len(self._text) + beyond
        return place + 1 if self._in_line_end(place) else place

    def _in_line_end(self, place: int) -> bool:
        """Whether a place lies between a carriage return and its newline, shown as one."""
        return self._text[max(place - 1, 0) : place + 1] == "\r\n"


def _units(text: str) -> list[int]:
    """Return where each code point begins, in units of what is shown, and where the last ends."""
    units, before = [0], ""
    for character in text:
        width = 2 if character > "\uffff" else 0 if before + character == "\r\n" else 1
        units.append(units[-1] + width)
        before = character
    return units
