"""The encodings that a document names itself, and what their labels mean.

A cookie of Python or Ruby (PEP 263), the settings of Emacs and Vim, an XML or CSS declaration, a
`meta` tag, a MIME header, and `inputenc` of LaTeX.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

FAMILIES: tuple[tuple[str, ...], ...] = (
    ("gb18030",),
    ("big5", "cp950", "big5hkscs"),
    ("cp932", "shift_jis", "shift_jis_2004"),
    ("euc_jp", "euc_jis_2004"),
    ("cp949",),
    ("cp1252", "latin-1"),
    ("cp1254",),
    ("cp874",),
    ("koi8_u",),
    ("utf-8",),
)
"""An encoding, and those that hold more: the next one is tried where bytes do not fit."""

LABELS = {
    **dict.fromkeys(("gb2312", "gbk", "x-gbk", "gb_2312-80", "cp936", "chinese", "euc-cn"), 0),
    **dict.fromkeys(("gb18030", "windows-936"), 0),
    **dict.fromkeys(("big5", "big5-hkscs", "cn-big5", "x-x-big5", "cp950", "big5-eten"), 1),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "x-sjis", "ms_kanji", "windows-31j"), 2),
    **dict.fromkeys(("euc-jp", "x-euc-jp", "eucjp", "ujis"), 3),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987", "ks_c_5601-1989", "korean", "windows-949"), 4),
    **dict.fromkeys(("ksc5601", "ksc_5601", "uhc", "x-windows-949"), 4),
    **dict.fromkeys(("iso-8859-1", "latin1", "latin-1", "us-ascii", "ascii", "iso8859-1"), 5),
    **dict.fromkeys(("windows-1252", "cp1252", "x-cp1252", "l1", "ansi", "x-user-defined"), 5),
    **dict.fromkeys(("iso-8859-9", "latin5", "windows-1254", "cp1254"), 6),
    **dict.fromkeys(("tis-620", "iso-8859-11", "windows-874"), 7),
    **dict.fromkeys(("koi8-u", "koi8-ru"), 8),
    **dict.fromkeys(("utf8", "unicode", "utf-16", "utf-16le", "utf-16be"), 9),
}
"""Labels and the places of their families: https://encoding.spec.whatwg.org/#names-and-labels."""

HEAD, LINES = 1 << 16, 5

_COOKIE = re.compile(rb"^[ \t\f]*(?:#|//|;|%|--|\"|<!--).*?coding[:=][ \t]*([-\w.]+)")
_VIM = re.compile(rb"\bvim?:.{0,200}?\b(?:fileencoding|fenc)=([-\w]+)")
_HEADS = (
    re.compile(rb"\A\s*<\?xml\b[^>]{0,200}?encoding\s*=\s*[\"']\s*([\w.:-]{1,40})"),
    re.compile(rb"\A@charset \"([\w.:-]{1,40})\""),
    re.compile(rb"^\"?Content-Type:[^\n]{0,100}?charset=[\"']?([\w.:-]{1,40})", re.I | re.M),
    re.compile(rb"\\usepackage\[([-\w]{1,40})\]\{inputenc\}"),
)
_META = re.compile(rb"<meta[^>]{1,200}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_HIDDEN = ((b"<!--", b"-->"), (b"<script", b"</script"), (b"<style", b"</style"))
_HIDES = re.compile(rb"<!--|<script|<style|<meta", re.IGNORECASE)
_LINE_ENDS = re.compile("-(?:unix|dos|mac)$")


def declared(data: bytes) -> Iterator[str]:
    """Yield the names of encodings that a document gives itself, the plainest first."""
    head = data[:HEAD]
    lines = head.split(b"\n", LINES)[:LINES]
    for line in lines[:2]:
        if cookie := _COOKIE.match(line):
            yield _name(cookie[1])
    for pattern in _HEADS:
        if match := pattern.search(head):
            yield _name(match[1])
    if b"<" in head:
        yield from _metas(data)
    for line in (*lines, *data[-HEAD:].rsplit(b"\n", LINES)[-LINES:]):
        if setting := _VIM.search(line[-1000:]):
            yield _name(setting[1])


def _metas(page: bytes) -> Iterator[str]:
    """Yield what the `meta` tags of a page name, wherever they stand but in comments and code."""
    at = 0
    while opening := _HIDES.search(page, at):
        at = opening.end()
        hidden = next((end for start, end in _HIDDEN if opening[0].lower() == start), None)
        if hidden is None:
            if tag := _META.match(page, opening.start()):
                yield _name(tag[1])
            continue
        end = _find(page, hidden, at)
        if end < 0:
            return
        at = end


def _find(page: bytes, words: bytes, at: int) -> int:
    match = re.compile(re.escape(words), re.IGNORECASE).search(page, at)
    return match.start() if match else -1


def _name(match: bytes) -> str:
    return _LINE_ENDS.sub("", match.decode("ascii", "replace").lower())


def fitting(data: bytes, label: str) -> str | None:
    """The encoding by Python's name that a label means, if the bytes fit it."""
    for name in family(label):
        try:
            data.decode(name)
        except (LookupError, ValueError, AttributeError, TypeError):
            continue
        return name
    return None


def family(label: str) -> tuple[str, ...]:
    """The encodings that a label may mean, the likeliest first; none if no text has it."""
    label = label.strip().lower()
    if label in LABELS:
        return FAMILIES[LABELS[label]]
    try:
        codec = codecs.lookup(label)
    except (LookupError, ValueError):
        return ()
    is_text = codec._is_text_encoding and not codec.name.startswith(("utf-16", "utf-32", "utf-7"))
    return (codec.name,) if is_text else ()
