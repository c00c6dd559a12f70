"""Texts as Argilla must hold them: shown exactly, never markup, and every span comes back exact.

Argilla's page takes a text as HTML and counts spans in UTF-16 units of what it then shows; its
server wants a span to end within the code points that it stores. So a text is stored with `&`,
`<` and `>` escaped and with everything beyond the Basic Multilingual Plane as a numeric reference:
it runs nothing, it looks as it was written, and it is never stored shorter than it is counted,
without anything added that people would see.

    text    a<b 🙂 c        spans in code points here
    stored  a&lt;b &#128578; c
    shown   a<b 🙂 c        spans in UTF-16 units there

A canonical text comes back from what is stored as it was. Others are shown as near as a page can,
each character as one: a carriage return without a newline as a newline, NUL and lone surrogates as
U+FFFD; their spans are exact all the same.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

_NAMES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_CHARACTERS = {name: character for character, name in _NAMES.items()}


def shown(text: str) -> str:
    """Return what the page shows of a text; a canonical text is shown as it is."""
    lines = re.sub(r"\r(?!\n)", "\n", text)
    return re.sub("[\0\ud800-\udfff]", "\ufffd", lines)


def stored(text: str) -> str:
    """Return what to store, so that the page shows the text."""
    return re.sub("[&<>\r\U00010000-\U0010ffff]", _reference, shown(text))


def restored(text: str) -> str:
    """Return what is shown of a text stored by `stored`."""
    return re.sub(r"&(?:amp|lt|gt|#13|#[0-9]{5,7});", _character, text)


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
    """Spans of one text: code points here, UTF-16 units of what the page shows there.

    The two counts differ from a character beyond the Basic Multilingual Plane on, by one more.
    """

    def __init__(self, text: str) -> None:
        wide = re.finditer("[\U00010000-\U0010ffff]", text)
        self._places = [match.start() for match in wide]
        self._units = [place + number for number, place in enumerate(self._places)]

    def there(self, start: int, end: int) -> tuple[int, int]:
        """Return a span of the text as the page counts it. The span must lie in the text."""
        return self._there(start), self._there(end)

    def here(self, start: int, end: int) -> tuple[int, int]:
        """Return a span of the page in code points of the text.

        One that cuts a character takes it whole; what lies outside the text stays outside.
        """
        return self._here(start, 0), self._here(end, 1)

    def _there(self, place: int) -> int:
        return place + bisect_left(self._places, place)

    def _here(self, unit: int, cut: int) -> int:
        """Return the place of a unit; in a character it is where that begins, or ends if `cut`."""
        number = bisect_right(self._units, unit)
        place = unit - number
        if number == 0 or place > self._places[number - 1]:
            return place
        begins = self._places[number - 1]
        return begins if unit == self._units[number - 1] else begins + cut
