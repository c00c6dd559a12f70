"""What the lines of a file tell of the encoding of those that are not UTF-8."""

from __future__ import annotations

from dataclasses import dataclass

from curate.sources.readers.declaring import HEAD
from curate.sources.readers.guessing import (
    LITTLE,
    Guess,
    guess,
    high_bytes,
    is_utf8,
    not_ascii,
    wrong_characters,
)

SURE = 3
"""A line of which UTF-8 takes this many bytes more than characters is UTF-8, and nothing else."""

MULTIBYTE = ("gb18030", "big5", "euc", "cp9", "shift", "hz")
"""How the encodings begin whose short lines may pass for UTF-8."""


@dataclass(frozen=True)
class Foreign:
    """The lines of a file that are not UTF-8: their encoding, and whether others have it too.

    `guess` is None if they are too few beside lines that are UTF-8: then they are damaged. `mixed`:
    some lines are UTF-8. `short`: a line that may be UTF-8 or theirs, since it is short, is theirs.
    """

    guess: Guess | None
    mixed: bool = False
    short: bool = False


NONE = Foreign(None)
"""A file of which no line is in another encoding."""


def of_line(line: bytes) -> Foreign:
    """What a line by itself tells."""
    return Foreign(None if is_damaged(line) else guess(not_ascii(line), line))


def is_damaged(line: bytes) -> bool:
    """Whether a line is UTF-8, whole or but for a few damaged bytes."""
    return is_utf8(line, ratio=3)


class Evidence:
    """What the lines of a file tell of its encoding, taken block by block."""

    def __init__(self) -> None:
        self._lines = bytearray()
        self._count = self._short = self._utf8 = self._wrong = 0
        self._rest = b""

    @property
    def enough(self) -> bool:
        """Whether more lines would tell no more."""
        return len(self._lines) >= HEAD

    def add(self, block: bytes) -> None:
        """Take a block of a file; its last line goes on in the next one."""
        head, newline, rest = (self._rest + block).rpartition(b"\n")
        self._rest = rest[-HEAD:]
        if newline:
            self._take(head)

    def foreign(self) -> Foreign | None:
        """What the lines that are not UTF-8 are; None if there are none."""
        self._take(self._rest)
        self._rest = b""
        if not self._lines:
            return None
        lines = bytes(self._lines)
        few = self._utf8 > 20 * self._wrong
        best = None if few and high_bytes(lines) < LITTLE else guess(lines)
        if best is None or (few and not best.name.startswith(MULTIBYTE)):
            return NONE
        mixed = self._utf8 > 0 or 3 * self._short > self._count
        return Foreign(best, mixed, short=not mixed and best.name.startswith(MULTIBYTE))

    def _take(self, data: bytes) -> None:
        if data.isascii():
            return
        try:
            self._take_utf8(len(data) - len(data.decode()))
        except UnicodeDecodeError:
            for line in data.split(b"\n"):
                self._take_line(line)

    def _take_utf8(self, more: int) -> None:
        self._utf8 += more if more >= SURE else 0
        self._short += 0 < more < SURE

    def _take_line(self, line: bytes) -> None:
        if line.isascii():
            return
        if is_damaged(line):
            self._take_utf8(len(line) - len(line.decode("utf-8", "replace")))
        elif not self.enough:
            self._lines += not_ascii(line) + b"\n"
            self._wrong += wrong_characters(line)
            self._count += 1
