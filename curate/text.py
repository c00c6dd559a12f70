"""What a text is: its canonical form, its content-hash id, and the edits laid over it.

Offsets everywhere are half-open ranges of Python code points of the canonical text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from string import Formatter

TEXT = "text"
"""The name of the one field that most documents have."""

_NEWLINES = re.compile("\r\n?")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]")

Edit = tuple[int, int, str]
"""`(start, end, replacement)` over the canonical text."""


def canonical(text: str) -> str:
    """Return `text` with LF newlines, without C0 controls (but tab and LF) or lone surrogates.

    A lone surrogate becomes U+FFFD; nothing else is normalised.
    """
    text = _NEWLINES.sub("\n", text) if "\r" in text else text
    if text.isprintable():
        return text
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub("", text))


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
    """Return the one text that stands for several fields; by default, joined by blank lines."""
    if template is None:
        return "\n\n".join(fields.values())
    parts = Formatter().parse(template)
    return "".join(text + ("" if name is None else fields[name]) for text, name, _, _ in parts)


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return `text` with every edit applied: the only function that does so.

    Edits are in order and do not overlap; a ValueError says where they do.
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
    """Return where each field stands in `render(fields, template)`: half-open, in its order.

    A template names a field once, or not at all; then it has no place.
    """
    if template is None:
        template = "\n\n".join(f"{{{place}}}" for place in range(len(fields)))
        names = {str(place): name for place, name in enumerate(fields)}
    else:
        names = {name: name for name in fields}
    found, at = {}, 0
    for text, name, _, _ in Formatter().parse(template):
        at += len(text)
        if name is not None:
            start, at = at, at + len(fields[names[name]])
            found[names[name]] = (start, at)
    return found


def field_edits(
    fields: Mapping[str, str], edits: Sequence[Edit], template: str | None = None
) -> dict[str, tuple[Edit, ...]]:
    """Return the edits of each field, given those of the text that the fields are rendered to.

    An edit across several fields puts its replacement into the first, and takes its part of the
    others; what it takes of the template's own words is no field's.
    """
    found: dict[str, list[Edit]] = {}
    places = spans(fields, template)
    for start, end, replacement in edits:
        put = replacement
        for name, (low, high) in places.items():
            inside = max(start, low) < min(end, high) or low <= start == end <= high
            if inside and (put or start < end):
                own = (max(start, low) - low, min(end, high) - low, put)
                found.setdefault(name, []).append(own)
                put = ""
    return {name: tuple(own) for name, own in found.items()}


def cjk_share(text: str) -> float:
    """Return the share of characters that are Chinese, Japanese or Korean letters, 0 to 1."""
    if text.isascii():
        return 0.0
    return len(_CJK.findall(text)) / len(text)


_WORD = re.compile(
    "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\\W_]+(?:['’\\-][^\\W_]+)*"
)


def words(text: str) -> list[str]:
    """Return the words of `text`; in scripts without spaces every character is one."""
    return _WORD.findall(text)


def shingles(text: str) -> list[bytes]:
    """Return what near-duplicates share: character 5-grams, or bigrams where text is mostly CJK.

    Case and the width of white space do not count. A text shorter than a shingle is its own.
    """
    folded = " ".join(text.lower().split())
    size = 2 if cjk_share(folded) > 0.3 else 5
    if len(folded) <= size:
        return [folded.encode()] if folded else []
    grams: Sequence[str] = [folded[i : i + size] for i in range(len(folded) - size + 1)]
    return [gram.encode() for gram in set(grams)]
