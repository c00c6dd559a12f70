"""Decode bytes by a declared or detected encoding, and count the characters that are replaced.

A line that is UTF-8 stays UTF-8. The other lines of a file have one encoding, which is guessed from
all of them. Lines that are UTF-8 but for a few damaged bytes are no evidence of another encoding.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from contextlib import suppress

from curate.sources.readers.evidence import SURE, Foreign, is_damaged, of_line
from curate.sources.readers.guessing import (
    LITTLE,
    UTF8,
    Guess,
    find_encoding,
    marked,
    seven_bit,
)

AUTO = "auto"

_WIDE = ("utf-16", "utf-32")
_MARK = "\ufeff"
_WRONG = "curate-wrong"


def _wrong(error: UnicodeError) -> tuple[str, int]:
    """What stands for wide bytes that are no text: its line is then no UTF-8, and is told."""
    assert isinstance(error, UnicodeDecodeError)
    return "\udcff", error.end


codecs.register_error(_WRONG, _wrong)


class Decoder:
    """Decode the lines of a file, or documents each by its own encoding.

    `replace` puts U+FFFD for bytes that are no characters, and counts them; else they are an error.
    `foreign` is what is known of the file's lines that are not UTF-8; `look` finds it out.
    """

    def __init__(
        self, encoding: str = AUTO, *, replace: bool = False, foreign: Foreign | None = None
    ) -> None:
        self.look: Callable[[], Foreign | None] = lambda: None
        self._guess = UTF8 if encoding == AUTO else Guess(encoding)
        self._declared = encoding != AUTO
        self._errors = "replace" if replace else "strict"
        self._foreign = foreign
        self._wide: codecs.IncrementalDecoder | None = None
        self._replaced = 0

    @property
    def encoding(self) -> str | None:
        """The encoding of what was decoded last; None if it is UTF-8."""
        plain = codecs.lookup(self._guess.name).name
        return None if plain in ("utf-8", "utf-8-sig") else plain

    @property
    def evidence(self) -> int | None:
        """The bytes that the encoding was guessed from, if they are few."""
        evidence = self._guess.evidence
        return evidence if evidence is not None and evidence < LITTLE else None

    @property
    def odd(self) -> bool:
        """Whether there is something to report: not UTF-8, or characters were replaced."""
        return bool(self._replaced) or (self._guess is not UTF8 and self.encoding is not None)

    @property
    def wide(self) -> bool:
        """Whether a newline takes more than one byte."""
        return self._wide is not None

    def whole(self, data: bytes, hint: str = "") -> str:
        """Decode one document, independently of those before. ValueError as in `decode`."""
        if not self._declared:
            self._guess = find_encoding(data, hint)
        return self._by_name(data.removeprefix(codecs.BOM_UTF8), self._guess.name)

    # ── lines

    def start(self, block: bytes) -> bytes:
        """Detect the encoding from the first block; return the block as `narrow` does."""
        if not self._declared and (name := marked(block) or seven_bit(block)):
            self._guess = UTF8 if name == "utf-8-sig" else Guess(name)
            self._declared = self._guess is not UTF8
        if codecs.lookup(self._guess.name).name.startswith(_WIDE):
            errors = "replace" if self._errors == "replace" else _WRONG
            self._wide = codecs.getincrementaldecoder(self._guess.name)(errors)
        elif not self._declared and self._foreign is None and not _whole_utf8(block):
            self._foreign = self.look()
        return self.narrow(block).removeprefix(codecs.BOM_UTF8)

    def narrow(self, block: bytes, *, last: bool = False) -> bytes:
        """Convert UTF-16 and UTF-32 to UTF-8, where a newline is one byte.

        Bytes that are no text become bytes that are no UTF-8.
        """
        if self._wide is None:
            return block
        text = self._wide.decode(block, last)
        if self._errors == "replace":
            self._replaced += text.count("\ufffd")
        return text.encode("utf-8", "surrogatepass")

    def decode(self, data: bytes) -> str:
        """Decode a line. ValueError names the byte that cannot be decoded."""
        if self._wide is not None:
            text = self._by_name(data, "utf-8")
        elif self._declared:
            text = self._by_name(data, self._guess.name)
        else:
            text = self._line(data)
        return text[1:] if text[:1] == _MARK else text  # files with marks were put together

    def _line(self, data: bytes) -> str:
        """Decode a line by what it is, or else by what the file's lines are that are not UTF-8."""
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return self._of_foreign(data)
        self._guess, foreign, more = UTF8, self._foreign, len(data) - len(text)
        if foreign is None or foreign.guess is None:
            return text
        if not more and not foreign.mixed:
            self._guess = foreign.guess  # ASCII, as in all these encodings
        elif foreign.short and more < SURE:
            with suppress(UnicodeDecodeError):
                text = data.decode(foreign.guess.name)
                self._guess = foreign.guess
        return text

    def _of_foreign(self, data: bytes) -> str:
        if self._foreign is None:
            self._foreign = self.look() or of_line(data)
        best = self._foreign.guess
        if best is None or is_damaged(data):
            best = UTF8
        self._guess = best
        return self._by_name(data, best.name)

    def _by_name(self, data: bytes, name: str) -> str:
        try:
            return data.decode(name)
        except UnicodeDecodeError as error:
            if self._errors == "strict":
                wide = self._guess.name if self._wide is not None else name
                raise ValueError(_complaint(wide, error)) from None
        text = data.decode(name, "replace")
        self._replaced += text.count("\ufffd") - data.count(b"\xef\xbf\xbd")
        return text

    def taken(self) -> int:
        """The number of characters replaced since the last call."""
        count, self._replaced = self._replaced, 0
        return count


def _whole_utf8(block: bytes) -> bool:
    """Whether a block is UTF-8; its last character may go on in the next one."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(block)
    except UnicodeDecodeError:
        return False
    return True


def _complaint(name: str, error: UnicodeDecodeError) -> str:
    encoding = "UTF-8" if codecs.lookup(name).name.startswith("utf-8") else name
    return f"not {encoding} ({error.reason} at byte {error.start})"
