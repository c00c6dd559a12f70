"""The encoding of a few letters, by how common each letter is in a language.

Too few bytes hold no words that a detector knows, but their letters are mostly common ones of one
language. `_LETTERS` has those of each language, the commonest first; letters of ASCII do not count.
The orders need not be exact: the letter of rank r counts as 1 / (r + 3). Bytes that stand where
signs do, as in `5 m³`, `2º` or `¾ cup`, are no letters.
"""

from __future__ import annotations

import codecs
import re
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

_RIVALS = {
    "iso8859-2": _LETTERS["cp1250"],
    "cp1257": ("āīēšūņķļžčģ", "ėšųįžūčąęö", "äõüöšž"),
    "cp866": (_RUSSIAN,),
    "iso8859-5": (_RUSSIAN,),
}
"""Encodings that chardet takes for others, and the letters of each of their languages."""

_LATIN_RIVALS = ("iso8859-2", "cp1257")
_MUCH, _SURELY, _FEW = 6.0, -3.4, 1024
"""How many natural logarithms a rival is likelier, and its mean at least; bytes looked at."""

SINGLE = tuple(_LETTERS)
"""All encodings of one byte a character that are told apart."""

_RARE = {"cp1252": 0.0, "cp1251": 0.5, "koi8-r": 1.0}
_RARER = 1.5
"""So many natural logarithms a text is rarer in an encoding than in windows-1252."""

ENOUGH = 4096
"""Bytes that are looked at."""

_MARKS = "’‘“”„–—…«»°§©®€•™\u00a0"
_MARK, _UNKNOWN, _CAPITAL, _INNER = log(0.03), log(0.0005), log(0.3), log(0.01)
"""How common marks, letters of other languages, capitals, and capitals within words are."""

_SIGNS = "¹²³ºª¼½¾¥¢£¯¶¤"
_HIGH = r"A-Za-z\x80-\xff"
_ALONE = rf"(?<![{_HIGH}])(?<![\x80-\xff] )"
_AS_SIGN = re.compile(
    (
        rf"(?<=[0-9])[\xb2\xb3\xb9](?![{_HIGH}])"  # 10³
        rf"|(?<![{_HIGH}])(?:[cdkmn\xb5]?m|ft|in|yd|mi)([\xb2\xb3])(?![{_HIGH}])"  # kg/m³
        rf"|(?:(?<=[0-9])|(?<![{_HIGH}])[nN])([\xaa\xba])(?![{_HIGH}])"  # 2º, nº
        r"|(?<=[0-9] )\xba(?= ?[CF]\b)"  # 20 º C
        rf"|(?<=[0-9A-Za-z]\.)[\xaa\xba](?![{_HIGH}])"  # 1.º
        rf"|(?<![{_HIGH}])[B-DF-HJ-NP-TV-Z]([\xaa\xba])(?![{_HIGH}])"  # Mª
        rf"|(?<=[.,;:!?)\]\"'*\x92-\x94])[\xb2\xb3\xb9](?![{_HIGH}0-9])"  # a claim.¹
        rf"|{_ALONE}[\xa4\xb6](?![{_HIGH}])(?! [\x80-\xff])"  # ¶ 2
        rf"|{_ALONE}[\xb2\xb3\xb9](?=[)\]]? [A-Za-z])"  # ¹ See
        rf"|(?<![{_HIGH}])[A-Ya-y](\xb3)(?![{_HIGH}])"  # x³
        rf"|(?<=[aeouyAEOUY])(?<!\bide)\xb9(?![{_HIGH}0-9])"  # note¹
        rf"|(?<![{_HIGH}])[\xaf\xbc-\xbe](?![{_HIGH}])"  # ¾ cup
        rf"|(?<![{_HIGH}])[\xa2\xa3\xa5](?![{_HIGH}])"  # ¥500
    ).encode()
)
"""Bytes that are letters in some encodings, and stand where signs do in others."""

_AS_NUMBER = re.compile(rf"(?<![{_HIGH}0-9])\xb9(?= ?[0-9])".encode())
"""Bytes that stand where `№` does."""

_AS_NOTE = re.compile(rb"(?<=[A-Za-z.,)\]\"'])[\xb2\xb3\xb9](?![A-Za-z0-9\x80-\xff])")
"""Bytes that may be the number of a note, or the last letter of a word in Polish."""

_TWO = 0xB2
"""The number of a note which is no letter in Polish."""

_NOT_POLISH = re.compile(
    rb"(?i)th|[qvx]|\b(?:and|of|for|see|from|are|les|des|une|der|die|das|und|ist|los|del|el|il|che"
    rb"|het|een|och|att)(?![A-Za-z\x80-\xff])"
)
"""Letters and words of other languages: beside them, a number of a note is no letter."""

_ASKED = re.compile(rb"\xbf(?=[a-z])")
"""A byte that begins a question in Spanish, or a word in Polish, such as `że`."""

_HIGH_BYTE = re.compile(rb"[\x80-\xff]")
_SPARSE = 30
"""Of so many bytes of Polish, more than one is beyond ASCII."""

_NOTE, _NUMBER, _LOAN, _UNASKED = log(0.04), log(0.1), log(0.01), log(0.009)
"""How common notes, the sign `№`, and the letters of `_LOANS` are; in French, which has `œ`.

`_UNASKED` is how common `¿` is before a small letter where no question ends.
"""

_MIXED = re.compile(r"[A-Za-z](?=[^\W\d_A-Za-z])|[^\W\d_A-Za-z](?=[A-Za-z])")
"""Places within words where letters of ASCII meet others."""

_LOANS = dict.fromkeys("šž", _LOAN)

_FIRST_ROWS = {"gb2312": (0xB0, 0xD7), "euc_jp": (0xB0, 0xCF), "euc_kr": (0xB0, 0xC8)}
_BIG5_ROWS = (0xA4, 0xC6)
_WIDE_MARKS = "，。、！？：；“”‘’（）《》「」…—・　～"


def by_letters(sample: bytes, names: tuple[str, ...] = SINGLE) -> tuple[str, float] | None:
    """The encoding in which the letters of a sample are the commonest, and their mean logarithm.

    None if the bytes are text in none of them. The first `ENOUGH` bytes tell as much as all.
    """
    sample = sample[:ENOUGH]
    signs = _signs(sample)
    scores = [(score, name) for name in names if (score := _score(sample, name, signs)) is not None]
    if not scores:
        return None
    (_, mean), name = max(scores, key=lambda own: own[0][0])
    return name, mean


def rival(sample: bytes, name: str) -> str | None:
    """The encoding in which a sample is much likelier than in `name`, of those taken for it."""
    if name not in _LETTERS:
        return None
    sample = sample[:_FEW]
    signs = _signs(sample)
    own = _score(sample, name, signs)
    scores = [(score, other) for other in _RIVALS if (score := _score(sample, other, signs))]
    if not scores:
        return None
    (total, mean), best = max(scores)
    return best if mean > _SURELY and (own is None or total > own[0] + _MUCH) else None


def _score(sample: bytes, name: str, signs: dict[int, float]) -> tuple[float, float] | None:
    """How common the letters of a sample are in the language that suits best: in all, a letter."""
    try:
        text = codecs.getincrementaldecoder(name)().decode(sample)
    except UnicodeDecodeError:
        return None
    number = max(1, len(text) - sum(map(str.isascii, text)))
    more = _LOANS if name == "cp1252" and "œ" in text.lower() else {}
    languages = _LETTERS.get(name) or _RIVALS[name]
    total = max(_likely(text, {**more, **_common(own)}, signs) for own in languages)
    if name not in (*LATIN, *_LATIN_RIVALS):
        total += _INNER * len(_MIXED.findall(text))
    return total - _RARE.get(name, _RARER), total / number


def _signs(sample: bytes) -> dict[int, float]:
    """By place: how common a sign is there, where bytes stand as signs do."""
    is_foreign = _NOT_POLISH.search(sample) is not None
    weight = _MARK if is_foreign else _NOTE
    notes = {found.start(): weight for found in _AS_NOTE.finditer(sample)}
    is_note = is_foreign or any(sample[place] == _TWO for place in notes)
    if not is_note and len(sample) < _SPARSE * len(_HIGH_BYTE.findall(sample)):
        notes = {}
    if b"?" not in sample:
        notes |= {found.start(): _UNASKED for found in _ASKED.finditer(sample)}
    numbers = {found.start(): _NUMBER for found in _AS_NUMBER.finditer(sample)}
    return notes | numbers | {found.end() - 1: _MARK for found in _AS_SIGN.finditer(sample)}


def _likely(text: str, common: dict[str, float], signs: dict[int, float]) -> float:
    total = 0.0
    before = " "
    for place, char in enumerate(text):
        is_capital = char.isupper()
        within = before.islower() and is_capital and not (before.isascii() and char.isascii())
        if not char.isascii():
            total += _one(char, before, common, signs.get(place))
            total += _CAPITAL if is_capital and not before.isupper() else 0.0
        total += _INNER if within else 0.0
        before = char
    return total


def _one(char: str, before: str, common: dict[str, float], sign: float | None) -> float:
    """How common a character is, where `sign` tells how common a sign is in its place."""
    if sign is not None and char in ("№" if sign == _NUMBER else _SIGNS):
        return sign
    if char in _MARKS or (char in "¿¡" and not before.isalpha()):
        return _UNASKED if sign == _UNASKED else _MARK
    return _UNKNOWN if sign == _MARK else common.get(char.lower(), _UNKNOWN)


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
