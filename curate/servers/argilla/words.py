"""The words of a text, split the same way for stored texts and for queries.

A word is a run of letters, digits and their marks. In scripts without spaces every character is a
word: a run of them is searched as a phrase and matches anywhere. An emoji is a word too. Case
and width do not matter.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import cache
from itertools import pairwise

SPACELESS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3041-\u30ff\u31f0-\u31ff"  # radicals, kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
JOINERS = "\u200c\u200d"
ESCAPES = {"lt": "<", "gt": ">", "quot": '"', "#x27": "'", "amp": "&"}
ESCAPE = re.compile(f"&({'|'.join(ESCAPES)}|#[0-9]{{2,7}});")
"""The escapes of stored texts: an emoji is a numeric reference (`backends/argilla/text.py`)."""


def words(text: str) -> list[str]:
    """The words of a plain text, in order."""
    return _pattern().findall(unicodedata.normalize("NFKC", text).casefold())


def unescaped(text: str) -> str:
    """The text as a reader sees it, without HTML escapes: `&lt;` is not the word `lt`."""
    return ESCAPE.sub(_character, text)


def _character(escape: re.Match[str]) -> str:
    if escape[1] in ESCAPES:
        return ESCAPES[escape[1]]
    number = int(escape[1][1:])
    return chr(number) if number <= sys.maxunicode else escape[0]


@cache
def _pattern() -> re.Pattern[str]:
    letter, mark = rf"[^\W_{SPACELESS}]", f"[{_ranges('Mn', 'Mc', 'Me')}{JOINERS}]"
    return re.compile(rf"[{SPACELESS}]|{letter}+(?:{mark}+{letter}*)*|[{_ranges('So')}]")


def _ranges(*categories: str) -> str:
    """The characters of some Unicode categories, as the inside of a character class."""
    points = [point for point in range(0x20000) if unicodedata.category(chr(point)) in categories]
    gaps = [(last, first) for last, first in pairwise(points) if first != last + 1]
    starts = [points[0], *(first for _, first in gaps)]
    ends = [*(last for last, _ in gaps), points[-1]]
    return "".join(f"{chr(start)}-{chr(end)}" for start, end in zip(starts, ends, strict=True))
