"""Guess the encoding of bytes that do not say it, and how much the guess stands on.

A document is examined in this order: a byte order mark; UTF-16 and UTF-32 without a mark; escapes
of ISO 2022; UTF-8; the encodings that it names; the likeliest one by chardet. Only lines that are
not ASCII are evidence. Text that is UTF-8 except for a few damaged bytes stays UTF-8.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from itertools import pairwise

from curate.sources.readers import letters
from curate.sources.readers.declaring import HEAD, declared, fitting
from curate.sources.readers.letters import by_letters, common_share

LITTLE = 64
"""A guess from fewer bytes that are not ASCII is told: it may be wrong (CONTRIBUTING)."""

SOME = 32
"""From so many bytes that are not ASCII on, words tell encodings apart; from fewer, letters do."""

LIKELY, UNLIKELY = -3.4, -4.2
"""The mean logarithm of letters that are text beyond doubt, and of those that are hardly any."""

SEVERAL = 6
"""Bytes of which common ideographs are hardly made by chance, in letters of an alphabet."""

WIDE = ("gb18030", "big5hkscs", "cp932", "shift_jis_2004", "euc_jis_2004", "cp949")
FEW = (*WIDE, "cp1251", "koi8-r", "cp1252")
"""The encodings of which chardet tells a few bytes, by its names."""

_NAMES = {"cp1252": "Windows-1252"}

AROUND = 50
"""So many bytes before and after those that are not ASCII are shown to the detector."""

LATIN = ("cp1250", "iso8859-2", "cp1254")
MORE = (
    *WIDE,
    "cp1251",
    "koi8-r",
    "cp1252",
    "cp1253",
    "cp1255",
    "cp1256",
    "cp874",
    "koi8-u",
    *LATIN,
)
"""All encodings that chardet is asked for. `letters.rival` knows some more; others are declared."""

_SINGLE = {"windows-1251", "koi8-r", "windows-1252"}

FAMILIES = {
    "Big5-HKSCS": ("big5", "cp950", "big5hkscs"),
    "Big5": ("big5", "cp950", "big5hkscs"),
    "CP932": ("shift_jis", "cp932", "shift_jis_2004"),
    "SHIFT_JIS": ("shift_jis", "cp932", "shift_jis_2004"),
    "SHIFT_JIS_2004": ("shift_jis", "cp932", "shift_jis_2004"),
    "EUC-JP": ("euc_jp", "euc_jis_2004"),
    "EUC-JIS-2004": ("euc_jp", "euc_jis_2004"),
    "CP949": ("euc_kr", "cp949"),
    "EUC-KR": ("euc_kr", "cp949"),
    "Windows-1252": ("cp1252", "latin-1"),
}
"""The encodings that chardet's answer may stand for: the narrowest that fits is taken."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ESCAPES = (
    (re.compile(rb"\x1b\$\)C"), "iso2022_kr"),
    (re.compile(rb"\x1b\$(?:[@AB]|\([CDOPQ])"), "iso2022_jp_ext"),
)
_MULTIBYTE = re.compile(b"[\xc2-\xf4][\x80-\xbf]{1,3}")
_HIGH = re.compile(b"[\x80-\xff]+")
_STRETCH = re.compile(b"[\x80-\xff]+(?:[^\n\x80-\xff]{0,50}[\x80-\xff]+){0,1000}")
_C1_OF_1250 = re.compile(b"[\x80-\x9f]")


@dataclass(frozen=True)
class Guess:
    """An encoding by Python's name; `evidence` is the bytes that it was guessed from.

    `evidence` is None if the encoding is known: by a mark, by a declaration, or since it is UTF-8.
    """

    name: str
    evidence: int | None = None


UTF8 = Guess("utf-8")


def find_encoding(data: bytes, hint: str = "") -> Guess:
    """The likeliest encoding of a document. `hint` is one that is named outside of it."""
    known = marked(data) or seven_bit(data)
    if known:
        return Guess(known)
    if is_utf8(data):
        return UTF8
    for label in filter(None, (hint, *declared(data))):
        if name := fitting(data, label):
            return Guess(name)
    return guess(not_ascii(data), data)


def marked(data: bytes) -> str | None:
    """The Unicode encoding of bytes that a mark or the places of NUL bytes tell, or None."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    head = data[:HEAD]
    if b"\0" not in head:
        return None
    for name in ("utf-32-le", "utf-32-be"):
        if _reads(head[: len(head) // 4 * 4], name):
            return name
    even, odd = head[::2].count(0), head[1::2].count(0)
    name = "utf-16-le" if odd > even else "utf-16-be"
    if max(even, odd) > 0.3 * len(head) / 2 and min(even, odd) < 0.1 * max(even, odd):
        return name
    is_wide = not min(even, odd) and high_bytes(head) > 0.2 * len(head)
    is_wide = is_wide and not _decodes(head, "utf-8")
    return name if is_wide and _reads(head[: len(head) // 2 * 2], name) else None


def _reads(data: bytes, name: str) -> bool:
    """Whether nearly all characters of bytes, read by an encoding, are those of a text."""
    try:
        text = codecs.getincrementaldecoder(name)().decode(data)
    except UnicodeDecodeError:
        return False
    odd = sum(not (char.isprintable() or char.isspace()) for char in text)
    return bool(text) and odd <= 0.01 * len(text)


def seven_bit(data: bytes) -> str | None:
    """The encoding of bytes that switch character sets by escapes (ISO 2022), or None."""
    if b"\x1b$" not in data or not data.isascii():
        return None
    names = (name for pattern, name in _ESCAPES if pattern.search(data))
    return next((name for name in names if _decodes(data, name)), None)


def _decodes(data: bytes, name: str) -> bool:
    try:
        codecs.getincrementaldecoder(name)().decode(data)
    except UnicodeDecodeError:
        return False
    return True


def is_utf8(data: bytes, *, ratio: int = 10) -> bool:
    """Whether bytes are UTF-8, but for one damaged character in `ratio` that are whole."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return len(_MULTIBYTE.findall(data)) > ratio * wrong_characters(data)
    return True


def wrong_characters(data: bytes) -> int:
    """How many characters of bytes are no UTF-8."""
    return data.decode("utf-8", "replace").count("\ufffd") - data.count(b"\xef\xbf\xbd")


def not_ascii(data: bytes) -> bytes:
    """The parts of lines around bytes that are not ASCII, about `HEAD` bytes of them."""
    parts: list[bytes] = []
    size = end = 0
    for stretch in _STRETCH.finditer(data):
        start = max(end, stretch.start() - AROUND)
        start = max(start, data.rfind(b"\n", start, stretch.start()) + 1)
        end = stretch.end() + AROUND
        newline = data.find(b"\n", stretch.end(), end)
        end = newline + 1 if newline >= 0 else end
        parts.append(data[start:end])
        size += len(parts[-1])
        if size >= HEAD:
            break
    return b"".join(parts)


def high_bytes(data: bytes) -> int:
    """How many bytes are not ASCII."""
    return sum(map(len, _HIGH.findall(data)))


def guess(sample: bytes, data: bytes = b"") -> Guess:
    """The likeliest encoding of a sample of lines; one that fits all of `data` where there is one.

    Single bytes between ASCII letters are windows-1252, or another alphabet of Latin letters.
    """
    evidence = high_bytes(sample)
    longest = max(map(len, _HIGH.findall(sample)))
    if evidence >= 0.3 * len(sample) or longest > 2:
        best = _detect(sample, MORE) if evidence >= SOME else _of_few(sample)
    elif longest == 1 and evidence >= SOME:
        best = _detect(sample, ("cp1252", *LATIN))
    else:
        best = _of_latin(sample) or (_detect(sample, MORE) if evidence >= SOME else _of_few(sample))
    if SOME <= evidence < LITTLE and best and not _has_words(sample, best):
        best = _detect(sample, WIDE) or _japanese(sample) or best
    if best == "ISO-8859-2" and _C1_OF_1250.search(sample):
        best = "cp1250"
    name = _narrowest(best or "Windows-1252", data or sample)
    other = letters.rival(sample, name)
    return Guess(other if other and _decodes(data or sample, other) else name, evidence)


def _of_latin(sample: bytes) -> str | None:
    """The encoding of Latin letters among those of ASCII; None if they are pairs of rare ones."""
    name, score = by_letters(sample, letters.LATIN) or ("cp1252", 0.0)
    is_alone = max(map(len, _HIGH.findall(sample))) == 1
    return _NAMES.get(name, name) if is_alone or score > LIKELY else None


def _of_few(sample: bytes) -> str | None:
    """The likeliest encoding of few bytes: by their letters, or wide where characters are common.

    None if they are text in none.
    """
    name, score = by_letters(sample) or ("cp1252", UNLIKELY)
    wide = _detect(sample, WIDE) or _japanese(sample)
    if wide and _is_common(sample, wide):
        if high_bytes(sample) < SEVERAL:
            return _detect(sample, FEW)
        return name if score > LIKELY else wide
    return _NAMES.get(name, name) if score > UNLIKELY or not wide else wide


def _is_common(sample: bytes, name: str) -> bool:
    """Whether nearly all characters of bytes are common ones, if an encoding is a wide one."""
    return common_share(sample.decode(_narrowest(name, sample), "replace")) >= 0.9


def _detect(sample: bytes, names: tuple[str, ...]) -> str | None:
    """What chardet takes for the likeliest of some encodings; None if none fits."""
    import warnings

    from chardet import detect

    with warnings.catch_warnings(action="ignore"):  # it warns that none fits
        answer = detect(
            sample, include_encodings=names, max_bytes=len(sample), no_match_encoding="ascii"
        )
    return answer["encoding"]


def _has_words(sample: bytes, name: str) -> bool:
    """Whether bytes that are not ASCII are words, if an encoding is one of single bytes.

    In words, marks are rare, and no capital follows a small letter.
    """
    if name.lower() not in _SINGLE:
        return True
    text = "".join(run.decode(name, "replace") + " " for run in _HIGH.findall(sample))
    marks = sum(not char.isalpha() for char in text) - text.count(" ")
    capitals = sum(one.islower() and two.isupper() for one, two in pairwise(text))
    return marks + capitals < 0.2 * len(text)


def _japanese(sample: bytes) -> str | None:
    """The encoding of Japanese in which a third of the characters are kana, or None."""
    for name in ("EUC-JP", "SHIFT_JIS"):
        text = sample.decode(name, "replace")
        kana = sum("\u3041" <= char <= "\u30fc" for char in text)
        if kana > (len(text) - sum(map(str.isascii, text))) / 3:
            return name
    return None


def _narrowest(best: str, data: bytes) -> str:
    """The first encoding of a family that decodes the bytes; if none does, the widest."""
    family = FAMILIES.get(best, (best,))
    names = (name for name in family if _decodes(data, name))
    return codecs.lookup(next(names, family[-1])).name
