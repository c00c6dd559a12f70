"""Decode bytes by a declared or detected encoding, and count the characters that are replaced.

Detection tries in this order: a byte order mark; UTF-16 without a mark; UTF-8; the encoding that a
page names; windows-1252 if single bytes stand between ASCII letters; the likeliest of `GUESSES` by
charset-normalizer. A file that is UTF-8 except for a few damaged bytes stays UTF-8.
"""

from __future__ import annotations

import codecs
import re

AUTO = "auto"

GUESSES = (
    "gb18030",
    "big5",
    "shift_jis",
    "euc_jp",
    "euc_kr",
    "cp1251",
    "koi8_r",
    "cp1252",
)
"""The encodings to guess from if bytes are not Unicode; others must be declared."""

LABELS = {
    **dict.fromkeys(("iso-8859-1", "latin1", "latin-1", "us-ascii", "ascii"), "cp1252"),
    **dict.fromkeys(("gb2312", "gbk", "x-gbk"), "gb18030"),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "x-sjis"), "cp932"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987"), "cp949"),
}
"""What the labels of pages mean: https://encoding.spec.whatwg.org/#names-and-labels."""

HEAD = 1 << 16
"""At most this many bytes are examined."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WIDE = ("utf-16", "utf-32")
_MULTIBYTE = re.compile(b"[\xc2-\xf4][\x80-\xbf]{1,3}")
_HIGH = re.compile(b"[\x80-\xff]+")


def find_encoding(data: bytes, hint: str = "") -> str:
    """The likeliest encoding of bytes, by Python's name for it.

    `hint` is the encoding that a page names; it is used if the bytes fit it and are not Unicode.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    head = data[:HEAD]
    if b"\0" in head:
        even, odd = head[::2].count(0), head[1::2].count(0)
        if max(even, odd) > 0.3 * len(head) / 2 and min(even, odd) < 0.1 * max(even, odd):
            return "utf-16-le" if odd > even else "utf-16-be"
    if is_utf8(head, cut=len(data) > HEAD):
        return "utf-8"
    if hint and _fits(head, encoding := LABELS.get(hint.lower(), hint)):
        return encoding
    runs = [len(run) for run in _HIGH.findall(head)]
    if max(runs) == 1 and sum(runs) < 0.3 * len(head):
        return _single_byte(head)
    return _guess(head)


def _fits(head: bytes, name: str) -> bool:
    try:
        codecs.getincrementaldecoder(name)().decode(head)
    except (LookupError, ValueError, AttributeError, TypeError):
        return False
    return not codecs.lookup(name).name.startswith(_WIDE)


def is_utf8(head: bytes, *, cut: bool = False) -> bool:
    """Whether bytes are UTF-8, except for a few damaged characters, or one `cut` at the end."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(head, final=not cut)
    except UnicodeDecodeError:
        wrong = head.decode("utf-8", "replace").count("\ufffd") - head.count(b"\xef\xbf\xbd")
        return len(_MULTIBYTE.findall(head)) > 10 * wrong
    return True


def _guess(head: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(head, cp_isolation=list(GUESSES)).best()
    return best.encoding if best is not None else _single_byte(head)


def _single_byte(head: bytes) -> str:
    try:
        head.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


class Decoder:
    """Decode all lines of a part by one encoding, or every document by its own.

    `replace` puts U+FFFD for bytes that are no characters, and counts them; else they are an error.
    """

    def __init__(self, encoding: str = AUTO, *, replace: bool = False) -> None:
        self.name = "utf-8" if encoding == AUTO else encoding
        self._declared = self._settled = encoding != AUTO
        self._errors = "replace" if replace else "strict"
        self._wide: codecs.IncrementalDecoder | None = None
        self._replaced = 0

    def whole(self, data: bytes, hint: str = "") -> str:
        """Decode one document, independently of those before. ValueError as in `decode`."""
        if not self._declared:
            self.name, self._settled = find_encoding(data, hint), True
        return self.decode(data.removeprefix(codecs.BOM_UTF8))

    @property
    def encoding(self) -> str | None:
        """The encoding of the bytes; None if it is UTF-8."""
        plain = codecs.lookup(self.name).name
        return None if plain in ("utf-8", "utf-8-sig") else plain

    @property
    def odd(self) -> bool:
        """Whether there is something to report: not UTF-8, or characters were replaced."""
        return bool(self._replaced) or (self._settled and self.encoding is not None)

    @property
    def wide(self) -> bool:
        """Whether a newline takes more than one byte."""
        return self._wide is not None

    def start(self, block: bytes) -> bytes:
        """Detect the encoding from the first block; return the block as `narrow` does."""
        if not self._settled and not block.isascii():
            self.name = find_encoding(block)
            self._settled = True
        elif not self._settled and b"\0" in block:
            self.name = find_encoding(block)
            self._settled = self.name != "utf-8"
        if codecs.lookup(self.name).name.startswith(_WIDE):
            self._wide = codecs.getincrementaldecoder(self.name)(self._errors)
        return self.narrow(block).removeprefix(codecs.BOM_UTF8)

    def narrow(self, block: bytes) -> bytes:
        """Convert UTF-16 and UTF-32 to UTF-8, where a newline is one byte. OSError if it cannot."""
        if self._wide is None:
            return block
        try:
            text = self._wide.decode(block)
        except UnicodeDecodeError as error:
            raise OSError(_complaint(self.name, error)) from None
        self._replaced += text.count("\ufffd")
        return text.encode("utf-8", "replace")

    def decode(self, data: bytes) -> str:
        """Decode bytes. ValueError names the byte that cannot be decoded."""
        name = "utf-8" if self._wide else self.name
        try:
            return data.decode(name)
        except UnicodeDecodeError as error:
            if not self._settled:  # everything before was ASCII
                self.name, self._settled = find_encoding(data), True
                return self.decode(data)
            if self._errors == "strict":
                raise ValueError(_complaint(name, error)) from None
        text = data.decode(name, "replace")
        self._replaced += text.count("\ufffd") - data.count(b"\xef\xbf\xbd")
        return text

    def taken(self) -> int:
        """The number of characters replaced since the last call."""
        count, self._replaced = self._replaced, 0
        return count


def _complaint(name: str, error: UnicodeDecodeError) -> str:
    encoding = "UTF-8" if codecs.lookup(name).name.startswith("utf-8") else name
    return f"not {encoding} ({error.reason} at byte {error.start})"
