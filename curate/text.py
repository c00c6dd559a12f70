"""Texts: their canonical form, their content-hash id, and the edits over them.

Offsets everywhere are half-open ranges of Python code points of the canonical text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from string import Formatter
from typing import Literal
from unicodedata import combining, is_normalized, normalize

from curate.scripts import (
    HANGUL,
    IDEOGRAPH,
    IDEOGRAPHS,
    OTHER_LETTER,
    SOUTHEAST_LETTER,
    inside,
    plain,
)

TEXT = "text"
"""The name of the only field that most documents have."""

_NEWLINES = re.compile("\r\n?")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_CJK = re.compile(f"[{inside(IDEOGRAPHS, HANGUL)}]")
_HANGUL = f"[{inside(HANGUL)}]"
_WORD = re.compile(
    rf"{IDEOGRAPH}|{_HANGUL}+(?:['’\-]{_HANGUL}+)*|{SOUTHEAST_LETTER}{{1,4}}"
    rf"|{OTHER_LETTER}+(?:['’\-]{OTHER_LETTER}+)*"
)
_PLAIN_WORD = re.compile("[^\\W_]+(?:['’\\-][^\\W_]+)*")

Edit = tuple[int, int, str]
"""`(start, end, replacement)` over the canonical text."""


def canonical(text: str) -> str:
    """Return `text` with LF newlines, without C0 controls (except tab and LF) or lone surrogates.

    A lone surrogate becomes U+FFFD; nothing else is normalised.
    """
    text = _NEWLINES.sub("\n", text) if "\r" in text else text
    if text.isprintable():
        return text
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub("", text))


def canonical_offset(text: str, offset: int) -> int:
    """Return where an offset of `text` lies in `canonical(text)`; one outside stays as it is."""
    return len(canonical(text[:offset])) if 0 <= offset <= len(text) else offset


def content_id(fields: Mapping[str, str]) -> str:
    """Return the id of a document: blake2b-128, in hex, of its canonical content.

    One field named `text` hashes the text itself; anything else hashes `[[name, text], …]`.
    """
    if list(fields) == [TEXT]:
        content = fields[TEXT]
    else:
        content = json.dumps(list(map(list, fields.items())), ensure_ascii=False)
    return blake2b(content.encode(), digest_size=16).hexdigest()


def render(fields: Mapping[str, str], template: str | None = None) -> str:
    """Return several fields as one text: by the template, or joined by blank lines.

    Raises KeyError if the template names a field that is missing.
    """
    if template is None:
        return "\n\n".join(fields.values())
    parts = Formatter().parse(template)
    return "".join(text + ("" if name is None else fields[name]) for text, name, _, _ in parts)


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return `text` with every edit applied. No other function applies edits.

    Edits are in order and do not overlap. Raises ValueError if they are not.
    """
    parts: list[str] = []
    at = 0
    for start, end, replacement in edits:
        if not at <= start <= end <= len(text):
            raise ValueError(f"edit {start}:{end} overlaps another or leaves the text")
        parts += (text[at:start], replacement)
        at = end
    return "".join((*parts, text[at:]))


def spans(fields: Mapping[str, str], template: str | None = None) -> dict[str, tuple[int, int]]:
    """Return the half-open range of each field in `render(fields, template)`, in order.

    A template names a field at most once. A field that it does not name has no range.
    """
    if template is None:
        template = "\n\n".join(f"{{{number}}}" for number in range(len(fields)))
        names = {str(number): name for number, name in enumerate(fields)}
    else:
        names = {name: name for name in fields}
    ranges, at = {}, 0
    for text, name, _, _ in Formatter().parse(template):
        at += len(text)
        if name is not None:
            start, at = at, at + len(fields[names[name]])
            ranges[names[name]] = (start, at)
    return ranges


def field_edits(
    fields: Mapping[str, str], edits: Sequence[Edit], template: str | None = None
) -> dict[str, tuple[Edit, ...]]:
    """Return the edits of each field, from the edits of the text that the fields are rendered to.

    An edit across several fields puts its replacement into the first one and deletes its part of
    the others. Its part of the template's own words belongs to no field.
    """
    edits_of: dict[str, list[Edit]] = {}
    ranges = spans(fields, template)
    for start, end, replacement in edits:
        insertion = replacement
        for name, (low, high) in ranges.items():
            inside = max(start, low) < min(end, high) or low <= start == end <= high
            if inside and (insertion or start < end):
                edit = (max(start, low) - low, min(end, high) - low, insertion)
                edits_of.setdefault(name, []).append(edit)
                insertion = ""
    return {name: tuple(changes) for name, changes in edits_of.items()}


def cjk_share(text: str) -> float:
    """Return the share of characters that are Chinese, Japanese or Korean letters, 0 to 1."""
    if text.isascii():
        return 0.0
    return len(_CJK.findall(text)) / len(text)


def words(text: str) -> list[str]:
    """The words of `text`, without marks.

    A Chinese or Japanese character is a word, whatever stands beside it. Korean and other scripts
    with spaces have words between spaces and marks, and no word holds letters of two such kinds of
    script. In Thai, Lao, Burmese and Khmer a word is a run of up to four letters between vowel
    signs, about as long as the real words are.
    """
    return (_PLAIN_WORD if plain(text) else _WORD).findall(text)


def word_places(text: str) -> list[tuple[int, int]]:
    """The half-open range of each of the `words` of `text`, in their order."""
    return [match.span() for match in (_PLAIN_WORD if plain(text) else _WORD).finditer(text)]


_MARKS_AT_ONCE = 16


def composed(text: str, form: Literal["NFC", "NFKC"] = "NFC") -> str:
    """The text in a normal form of Unicode, so that two spellings of one text are equal.

    Sorting a run of marks takes the square of its length, so one of over 30 is cut into parts (as
    UAX 15 does in its Stream-Safe Text Format). Nobody writes such runs.
    """
    if text.isascii():
        return text
    cuts = _overlong(text) if any(map(combining, text[::_MARKS_AT_ONCE])) else []
    if not cuts:
        return text if is_normalized(form, text) else normalize(form, text)
    ends = [*cuts[1:], len(text)]
    return normalize(form, text[: cuts[0]]) + "".join(
        [normalize(form, text[start:end]) for start, end in zip(cuts, ends, strict=True)]
    )


def _overlong(text: str) -> list[int]:
    """Places inside runs of more than 30 marks, so close that the parts between are short."""
    places = range(0, len(text) - _MARKS_AT_ONCE, _MARKS_AT_ONCE)
    return [at for at in places if all(map(combining, text[at : at + _MARKS_AT_ONCE]))]


def shingles(text: str) -> list[bytes]:
    """Return the distinct character 5-grams of a text, or bigrams if over 30 % of it is CJK.

    Near-duplicates share most of them. Case, the composition of accents and the width of white
    space do not count. A text that is not longer than a shingle is its only one; an empty text has
    none.
    """
    folded = " ".join(composed(text).lower().split())
    size = 2 if cjk_share(folded) > 0.3 else 5
    if len(folded) <= size:
        return [folded.encode()] if folded else []
    grams: Sequence[str] = [folded[i : i + size] for i in range(len(folded) - size + 1)]
    return [gram.encode() for gram in set(grams)]
