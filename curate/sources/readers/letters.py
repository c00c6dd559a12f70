"""The encoding of a few letters, by how common each letter is in a language.

Too few bytes hold no words that a detector knows, but their letters are mostly common ones of one
language. `_LETTERS` has those of each language, the commonest first; letters of ASCII do not count.
The orders need not be exact: the letter of rank r counts as 1 / (r + 3).
"""

from __future__ import annotations

import codecs
from functools import cache
from math import log

_RUSSIAN = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"
_UKRAINIAN = "оаниівтерскдлпумязьбгчйхжїцюєшфщґ"
_LETTERS = {
    "cp1252": (
        "éèàêçùîôâûœëï",
        "üäöß",
        "óíáéñúü",
        "ãçáéíóõêâàú",
        "àèéìòù",
        "äåöé",
        "åøæéòó",
        "ëéïèóö",
        "áíðéóæþöúý",
        "àéóèíçòúï·",
    ),
    "cp1250": (
        "łąęóżśćńź",
        "íáéěýřčžšůúóťňď",
        "áéöóőüíúű",
        "áíéčšýžúľťôďňäó",
        "čšžćđ",
        "ăîâşţ",
    ),
    "cp1254": ("ıüşğçöâ",),
    "cp1251": (_RUSSIAN, _UKRAINIAN),
    "koi8-r": (_RUSSIAN,),
    "koi8-u": (_UKRAINIAN,),
    "cp1253": ("αοιτεσηνρκπυμλςίάθόδέγωήχύώφβξζψ",),
    "cp1255": ("יוהלאתרבשמםנעדקחפסגכטןצזךףץ",),
    "cp1256": ("الينموتربعسدفهكقحجةشأصطخذثضىزإغئظءآؤ", "اينردمهوتبسشكزگفلخقجپعحچصغطضظثژآئ"),
    "cp874": ("านรกอเง่มยลวดท้สตะีัิ็ปบคหแจพชขใไถโุูำซธณศผภญษ์ฟึืฐ",),
}
"""By encoding: the letters of each language that is written in it."""

LATIN = ("cp1252", "cp1250", "cp1254")
"""The encodings of Latin letters."""

SINGLE = tuple(_LETTERS)
"""All encodings of one byte a character that are told apart."""

_RARE = {"cp1252": 0.0, "cp1251": 0.5, "koi8-r": 1.0}
_RARER = 1.5
"""So many natural logarithms a text is rarer in an encoding than in windows-1252."""

ENOUGH = 4096
"""Bytes that are looked at."""

_MARKS = "’‘“”„–—…«»°§©®€£\u00a0"
_MARK, _UNKNOWN, _CAPITAL, _INNER = log(0.03), log(0.0005), log(0.3), log(0.01)
"""How common marks, letters of other languages, capitals, and capitals within words are."""

_FIRST_ROWS = {"gb2312": (0xB0, 0xD7), "euc_jp": (0xB0, 0xCF), "euc_kr": (0xB0, 0xC8)}
_BIG5_ROWS = (0xA4, 0xC6)
_WIDE_MARKS = "，。、！？：；“”‘’（）《》「」…—・　～"


def by_letters(sample: bytes, names: tuple[str, ...] = SINGLE) -> tuple[str, float] | None:
    """The encoding in which the letters of a sample are the commonest, and their mean logarithm.

    None if the bytes are text in none of them. The first `ENOUGH` bytes tell as much as all.
    """
    sample = sample[:ENOUGH]
    scores = [(score, name) for name in names if (score := _score(sample, name)) is not None]
    if not scores:
        return None
    (_, mean), name = max(scores, key=lambda own: own[0][0])
    return name, mean


def _score(sample: bytes, name: str) -> tuple[float, float] | None:
    """How common the letters of a sample are in the language that suits best: in all, a letter."""
    try:
        text = codecs.getincrementaldecoder(name)().decode(sample)
    except UnicodeDecodeError:
        return None
    number = max(1, len(text) - sum(map(str.isascii, text)))
    total = max(_likely(text, letters) for letters in _LETTERS[name])
    return total - _RARE.get(name, _RARER), total / number


def _likely(text: str, letters: str) -> float:
    common = _common(letters)
    total = 0.0
    before = " "
    for char in text:
        is_capital = char.isupper()
        within = before.islower() and is_capital and not (before.isascii() and char.isascii())
        if not char.isascii():
            is_mark = char in _MARKS or (char in "¿¡" and not before.isalpha())
            total += _MARK if is_mark else common.get(char.lower(), _UNKNOWN)
            total += _CAPITAL if is_capital and not before.isupper() else 0.0
        total += _INNER if within else 0.0
        before = char
    return total


@cache
def _common(letters: str) -> dict[str, float]:
    """The logarithm of how common each letter is."""
    total = sum(1 / (rank + 3) for rank in range(len(letters)))
    return {letter: log(1 / (rank + 3) / total) for rank, letter in enumerate(letters)}


def common_share(text: str) -> float:
    """The share of characters beyond ASCII that are kana, or common ideographs or hangul.

    The common ones are those of the first rows of the national standards.
    """
    wide = [char for char in text if not char.isascii()]
    return sum(map(_is_common, wide)) / len(wide) if wide else 0.0


def _is_common(char: str) -> bool:
    if "\u3041" <= char <= "\u30fc" or char in _WIDE_MARKS:
        return True
    return any(
        _is_in(char, name, rows) for name, rows in (*_FIRST_ROWS.items(), ("big5", _BIG5_ROWS))
    )


def _is_in(char: str, name: str, rows: tuple[int, int]) -> bool:
    try:
        code = char.encode(name)
    except UnicodeEncodeError:
        return False
    return len(code) == 2 and rows[0] <= code[0] <= rows[1]
