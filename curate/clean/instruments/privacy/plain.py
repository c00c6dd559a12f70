r"""A text as the finders read it: ASCII digits, separators and addresses, and the way back.

Pages, PDFs and forms write one number in many ways. Here every decimal digit is an ASCII digit,
every space of Unicode a space, a dash between two digits a hyphen, and characters that show nothing
are left out. `decoded` also reads what links and markup write in code: `%40`, `&#64;`, `\u0040`.
`Plain.home` maps a range back to the text as it is.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import unescape
from unicodedata import decimal

_SPACES = "\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u2800\u3000"
_DASHES = "\u058a\u05be\u1806\u2010-\u2015\u2043\u207b\u2212\u2796\u2e3a\u2e3b\u301c\u3030\u30a0"
_DASHES += "\u30fc\ufe31\ufe32\ufe58\ufe63\uff0d\uff70"
_UNSEEN = "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
_UNSEEN += "\u2060-\u206f\u20e3\u3164\ufe00-\ufe0f\ufeff\uffa0\U0001d173-\U0001d17a"
_UNSEEN += "\U000e0000-\U000e0fff"
"""Unicode's property Default_Ignorable_Code_Point, and the frame of a digit on a key (U+20E3)."""

_SPACE = re.compile(f"[{_SPACES}]")
_DASH = re.compile(rf"(?<=[0-9)])[{_DASHES}](?=[0-9(])")
_WIDE = {ord(char) + 0xFEE0: char for char in "ABCDEFXx@+-._"} | {0xFE6B: "@"}
_WIDE_LETTERS = {code + 0xFEE0: code for code in (*range(0x41, 0x5B), *range(0x61, 0x7B))}
_HIDDEN = re.compile(f"[{_UNSEEN}]+")
_CODED = re.compile(
    rf"(?P<unseen>[{_UNSEEN}]+)|(?P<percent>(?:%(?:25)?[0-9A-Fa-f]{{2}})+)"
    r"|(?P<entity>&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[a-z]{2,6});)"
    r"|\\(?:u(?P<long>[0-9A-Fa-f]{4})|x(?P<short>[0-9A-Fa-f]{2}))"
)
_BYTE = re.compile(r"%(?:25)?([0-9A-Fa-f]{2})")
_MARKS_OF_CODE = re.compile(r"%[0-9A-Fa-f]{2}|&[#a-z]|\\[ux][0-9A-Fa-f]{2}")


@dataclass(frozen=True)
class Plain:
    """A text in plain characters.

    `changed` has the parts that are longer in the text as it is: the place of each in `text`, its
    length there, and its start and end in the text as it is; in order.
    """

    text: str
    changed: tuple[tuple[int, int, int, int], ...] = ()

    def home(self, start: int, end: int) -> tuple[int, int]:
        """The range in the text as it is."""
        if not self.changed:
            return start, end
        return self._first(start), self._last(end - 1) if end > start else self._first(start)

    def _first(self, place: int) -> int:
        at, size, start, end = self._part(place)
        return start if at <= place < at + size else end + place - at - size

    def _last(self, place: int) -> int:
        at, size, _, end = self._part(place)
        return end if at <= place < at + size else end + place - at - size + 1

    def _part(self, place: int) -> tuple[int, int, int, int]:
        """The last part that begins at a place or before it."""
        number = bisect_right(self.changed, (place, 1 << 62)) - 1
        return self.changed[number] if number >= 0 else (0, 0, 0, 0)


def plain(text: str) -> Plain:
    """The text in plain characters, without those that show nothing."""
    if text.isascii() or not any(odd.search(text) for odd in _odd()):
        return Plain(text)
    return _plain(text, _HIDDEN)


def decoded(text: str, read: Plain) -> Plain:
    """The text in plain characters, with what links and markup write in code; `read` is `plain`."""
    if not any(mark in text for mark in "%&\\") or not _MARKS_OF_CODE.search(text):
        return read
    return _plain(text, _CODED)


def with_letters(text: str) -> str:
    """A plain text with full-width letters as ASCII, where it has a full-width address."""
    return text.translate(_WIDE_LETTERS)


def _plain(text: str, hidden: re.Pattern[str]) -> Plain:
    parts: list[str] = []
    changed: list[tuple[int, int, int, int]] = []
    at = length = 0
    for start, end, replacement in _replaced(text, hidden):
        length += start - at
        parts += (text[at:start], replacement)
        changed.append((length, len(replacement), start, end))
        length += len(replacement)
        at = end
    whole = "".join((*parts, text[at:])) if parts else text
    return Plain(whole if whole.isascii() else _narrow(whole), tuple(changed))


def _replaced(text: str, hidden: re.Pattern[str]) -> Iterator[tuple[int, int, str]]:
    """Yield the ranges of a text that read as something else, and what they read as."""
    for match in hidden.finditer(text):
        kind = match.lastgroup
        if kind is None or kind == "unseen":
            yield match.start(), match.end(), ""
        elif kind == "percent":
            yield from _percent(match)
        else:
            code = match["long"] or match["short"]
            char = chr(int(code, 16)) if code else unescape(match[0])
            if len(char) == 1:
                yield match.start(), match.end(), _HIDDEN.sub("", char)


def _percent(match: re.Match[str]) -> Iterator[tuple[int, int, str]]:
    """Yield the characters of a run of bytes in percent-encoding: UTF-8, else Latin-1.

    Letters beyond ASCII stay as they are: the finders read them no better.
    """
    units = [*_BYTE.finditer(match.string, match.start(), match.end())]
    encoded = bytes(int(unit[1], 16) for unit in units)
    try:
        chars, encoding = encoded.decode(), "utf-8"
    except UnicodeDecodeError:
        chars, encoding = encoded.decode("latin-1"), "latin-1"
    first = 0
    for char in chars:
        is_ascii = char.isascii()
        last = first + (1 if is_ascii else len(char.encode(encoding)))
        if is_ascii or not char.isalpha():
            shown = char if is_ascii else _HIDDEN.sub("", char)
            yield units[first].start(), units[last - 1].end(), shown
        first = last


def _narrow(text: str) -> str:
    """The text with plain digits, spaces, hyphens and marks of addresses, one for one."""
    return _DASH.sub("-", text.translate(_digits()))


@cache
def _digits() -> dict[int, str]:
    """Every decimal digit of another script than ASCII, the wide marks, and the spaces."""
    codes = (*range(0x80, 0x12000), *range(0x16A00, 0x17000), *range(0x1D7C0, 0x1FC00))
    digits = {code: str(n) for code in codes if (n := decimal(chr(code), None)) is not None}
    spaces = {code: " " for code in codes if _SPACE.match(chr(code))}
    return digits | spaces | _WIDE


@cache
def _odd() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Two searches that find every character that is not plain.

    The second finds all of the higher planes: one class of both kinds is slow.
    """
    low = "".join(char for char in map(chr, _digits()) if char <= "\uffff")
    unseen = _UNSEEN.split("\U0001d173")[0]
    return re.compile(f"[{unseen}{_DASHES}{re.escape(low)}]"), re.compile("[\U00010000-\U0010ffff]")
