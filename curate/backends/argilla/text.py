"""Texts as Argilla must hold them: shown exactly, never as markup, and with exact spans.

Argilla's page reads a text as HTML and counts spans in UTF-16 units of the text that it shows. Its
server wants a span to end within the code points that it stores. So `&`, `<` and `>` are stored
escaped, and characters beyond the Basic Multilingual Plane as numeric references. Such a text runs
nothing and looks as it was written. It is never stored shorter than the page counts it, and people
see nothing added.

    text    a<b 🙂 c        our spans, in code points
    stored  a&lt;b &#128578; c
    shown   a<b 🙂 c        Argilla's spans, in UTF-16 units

A canonical text comes back unchanged. Other texts are shown as closely as a page can, one character
for one: a carriage return without a newline as a newline, NUL and lone surrogates as U+FFFD. Their
spans are exact too.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

_NAMES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_CHARACTERS = {name: character for character, name in _NAMES.items()}


def shown(text: str) -> str:
    """The text that the page shows; a canonical text is shown as it is."""
    lines = re.sub(r"\r(?!\n)", "\n", text)
    return re.sub("[\0\ud800-\udfff]", "\ufffd", lines)


def stored(text: str) -> str:
    """The text to store for the page to show this one."""
    return re.sub("[&<>\r\U00010000-\U0010ffff]", _reference, shown(text))


def restored(text: str) -> str:
    """The text that the page shows, from one made by `stored`."""
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
    """A converter of one text's spans between our code points and the page's UTF-16 units.

    Each character beyond the Basic Multilingual Plane is one code point, but two units.
    """

    def __init__(self, text: str) -> None:
        wide = re.finditer("[\U00010000-\U0010ffff]", text)
        self._places = [match.start() for match in wide]
        self._units = [place + number for number, place in enumerate(self._places)]

    def there(self, start: int, end: int) -> tuple[int, int]:
        """A span in units, from one in code points. The span must lie in the text."""
        return self._there(start), self._there(end)

    def here(self, start: int, end: int) -> tuple[int, int]:
        """A span in code points, from one in units.

        A span that cuts a character takes it whole. A span outside the text stays outside.
        """
        return self._here(start, 0), self._here(end, 1)

    def _there(self, place: int) -> int:
        return place + bisect_left(self._places, place)

    def _here(self, unit: int, cut: int) -> int:
        """The place of a unit; inside a character it is the start, or with `cut` 1 the end."""
        number = bisect_right(self._units, unit)
        place = unit - number
        if number == 0 or place > self._places[number - 1]:
            return place
        begins = self._places[number - 1]
        return begins if unit == self._units[number - 1] else begins + cut
