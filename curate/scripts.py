"""The scripts that are written without spaces between words, as classes for regular expressions.

They follow the line-breaking classes of Unicode (UAX 14): a line may break beside each character of
class ID, and only with a dictionary in class SA. Every definition of a word in curate is built from
these classes. So a Chinese character is a word whatever stands before or behind it, a Latin letter
or a digit included.
"""

from __future__ import annotations

import re

Ranges = tuple[tuple[int, int], ...]
"""Code points, first and last of each range."""

IDEOGRAPHS: Ranges = (
    *((0x3005, 0x3007), (0x3021, 0x3029), (0x3031, 0x3035), (0x3038, 0x303C)),  # 々, 〇, numerals
    *((0x3041, 0x3096), (0x309D, 0x309F), (0x30A1, 0x30FA), (0x30FC, 0x30FF)),  # kana
    *((0x31F0, 0x31FF), (0xFF66, 0xFF9F), (0x1AFF0, 0x1B16F)),  # small, half-width, old kana
    *((0x3105, 0x312F), (0x31A0, 0x31BF), (0xA000, 0xA48C)),  # Bopomofo, Yi
    *((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)),  # Han
    *((0x17000, 0x18DFF), (0x1B170, 0x1B2FF)),  # Tangut, Khitan, Nüshu
)
"""Letters that are a word each: Han, kana, and their like. Marks such as 。 and ・ are none."""

HANGUL: Ranges = (
    *((0x1100, 0x11FF), (0x3131, 0x318E), (0xA960, 0xA97C), (0xAC00, 0xD7A3)),
    *((0xD7B0, 0xD7FB), (0xFFA0, 0xFFDC)),
)
"""Korean letters. Korean has spaces between words."""

SOUTHEAST: Ranges = (
    *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x1950, 0x19FF)),
    *((0x1A20, 0x1AAF), (0xA9E0, 0xA9FF), (0xAA60, 0xAADF), (0x11700, 0x1174F)),
)
"""The blocks of Thai, Lao, Burmese, Khmer, Tai and Ahom, with their vowel signs and marks."""


def inside(*scripts: Ranges) -> str:
    """The code points of the scripts, as the inside of a character class."""
    return "".join(f"{chr(first)}-{chr(last)}" for ranges in scripts for first, last in ranges)


IDEOGRAPH = f"[{inside(IDEOGRAPHS)}]"
UNSPACED = f"[{inside(IDEOGRAPHS, SOUTHEAST)}]"
SOUTHEAST_LETTER = rf"(?:(?=[{inside(SOUTHEAST)}])[^\W_])"
OTHER_LETTER = rf"[^\W_{inside(IDEOGRAPHS, HANGUL, SOUTHEAST)}]"
"""A letter or digit of any other script."""

_OWN_WORDS = re.compile(f"[{inside(IDEOGRAPHS, HANGUL, SOUTHEAST)}]")

STARTS = rf"(?:(?<!\w)|(?<={UNSPACED})|(?={UNSPACED}))"
ENDS = rf"(?:(?!\w)|(?={UNSPACED})|(?<={UNSPACED}))"
"""Borders of a whole word. A word may touch scripts without spaces, and theirs may touch all."""

_IDEOGRAPH = re.compile(IDEOGRAPH)
_PARTS = re.compile(f"{IDEOGRAPH}|[^{inside(IDEOGRAPHS)}]+")


def ideographs(text: str) -> int:
    """The number of letters of a text that are a word each."""
    return 0 if text.isascii() else len(_IDEOGRAPH.findall(text))


def plain(text: str) -> bool:
    """Whether a text holds none of these scripts, so that a run of its letters is one word."""
    return text.isascii() or not _OWN_WORDS.search(text)


def parts(piece: str) -> list[str]:
    """The ideographs of a run between spaces, and the runs between them; all characters stay."""
    return [piece] if piece.isascii() or not _IDEOGRAPH.search(piece) else _PARTS.findall(piece)
