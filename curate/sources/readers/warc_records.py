"""The records of a web archive (ISO 28500), one by one, whatever their lengths say.

A record whose length is wrong or missing ends where the next one begins; so it costs no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from curate.sources.readers.http_answer import fields
from curate.sources.readers.opening import Reading, blocks
from curate.sources.readers.unpacking import Lost

_START = re.compile(rb"WARC/\d\.\d+[ \t]*\r?\n")
_NEXT = re.compile(
    rb"(?:\r?\n){1,2}(?=WARC/\d\.\d+[ \t]*\r?\nWARC-|WARC/\d\.\d+[ \t]*\r?\nContent-)"
)
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_ARCHIVES = re.compile(rb"\r?\nContent-Type:[ \t]*application/(?:warc|x-tar|octet|gzip|zip)", re.I)

LONGEST_HEAD = 1 << 20
OVERLAP = 1 << 10


@dataclass(frozen=True)
class Record:
    """A record: its number, its headers by their small names, and its bytes.

    `wrong` says why it cannot be used; then it may have no bytes.
    """

    number: int
    headers: Mapping[str, str]
    body: bytes = b""
    wrong: str = ""


def records(reading: Reading) -> Iterator[Record]:
    """Yield the records of a file. What belongs to none, and what is mended, goes to `lost`."""
    stream = _Stream(reading)
    number = 0
    while stream.pass_blank():
        if stream.barrier is not None and not stream.have(1):
            reading.lost.append(_after(number, stream.barrier.reason, stream.barrier.size))
            stream.barrier = None
            continue
        if size := stream.pass_to_start():
            reading.lost.append(_after(number, f"{size:,} bytes are not a WARC record", size))
            continue
        number += 1
        head = stream.take_head()
        record = _record(stream, number, head, reading) if head else None
        if record is not None:
            yield record
        elif stream.barrier is None:
            yield Record(number, {}, wrong="cut short: it has no whole head")


def _after(number: int, reason: str, size: int) -> Lost:
    return Lost(f"after record {number}: {reason}", size, row=number)


def _record(stream: _Stream, number: int, head: bytes, reading: Reading) -> Record | None:
    """Take the body of a record whose head was taken; None if damaged bytes cut it short."""
    headers, limit = fields(head), reading.max_bytes
    length = _length(headers)
    if length is not None and length > limit:
        stream.pass_body(length)
        return Record(number, headers, wrong=f"longer than max_bytes ({limit})")
    if length is not None and stream.ends_after(length):
        return Record(number, headers, stream.take(length))
    body = stream.take_to_next(limit)
    if body is None:
        return Record(number, headers, wrong=f"longer than max_bytes ({limit})")
    if not stream.have(1) and stream.barrier is not None:
        return None
    if length is not None and length > len(body) and not stream.have(1):
        reason = f"cut short: it says {length:,} bytes and holds {len(body):,}"
        return Record(number, headers, wrong=reason)
    what = "has no length" if length is None else f"says {length:,} bytes"
    reason = f"record {number} {what}: read up to the next one, {len(body):,} bytes"
    reading.lost.append(Lost(reason, harmless=True, row=number))
    return Record(number, headers, body)


def _length(headers: Mapping[str, str]) -> int | None:
    said = headers.get("content-length", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 19 else None


class _Stream:
    """The unpacked bytes of a file, up to a `barrier`: bytes that are lost."""

    def __init__(self, reading: Reading) -> None:
        self._blocks = blocks(reading)
        self._data = bytearray()
        self._at = 0
        self.barrier: Lost | None = None

    def have(self, size: int) -> int:
        """Read until so many bytes are at hand, if there are; the number at hand."""
        while len(self._data) - self._at < size and self.barrier is None:
            block = next(self._blocks, None)
            if block is None:
                break
            if isinstance(block, Lost):
                self.barrier = block
                break
            if self._at > len(self._data) // 2:
                del self._data[: self._at]
                self._at = 0
            self._data += block
        return len(self._data) - self._at

    def take(self, size: int) -> bytes:
        """The next bytes, which are then passed."""
        taken = bytes(self._data[self._at : self._at + size])
        self._at += len(taken)
        return taken

    def pass_blank(self) -> bool:
        """Pass empty lines; whether there is more, be it behind a barrier."""
        while self.have(1) and self._data[self._at] in b"\r\n":
            self._at += 1
        return bool(self.have(1)) or self.barrier is not None

    def pass_to_start(self) -> int:
        """Pass to the start of a record, or to the end; the number of bytes passed."""
        self.have(OVERLAP)
        if _START.match(self._data, self._at):
            return 0
        passed = 0
        while True:
            if match := _NEXT.search(self._data, self._at):
                passed += match.end() - self._at
                self._at = match.end()
                return passed
            at_hand = self.have(1)
            if self.have(at_hand + OVERLAP) == at_hand:
                self._at += at_hand
                return passed + at_hand
            self._at += max(0, at_hand - OVERLAP)
            passed += max(0, at_hand - OVERLAP)

    def take_head(self) -> bytes | None:
        """The head of a record without the empty line after it; None if it does not end."""
        size = OVERLAP
        while True:
            at_hand = self.have(size)
            if end := _HEAD_END.search(self._data, self._at):
                head = self.take(end.start() - self._at)
                self._at = end.end()
                return head
            if at_hand < size or size > LONGEST_HEAD:
                self._at += at_hand
                return None
            size *= 2

    def ends_after(self, length: int) -> bool:
        """Whether a body of that length ends where the next record begins, or the file does."""
        if self.have(length + OVERLAP) < length:
            return False
        after = bytes(self._data[self._at + length : self._at + length + 16])
        rest = after.lstrip(b"\r\n")
        return after.startswith(b"\r\n\r\n") or rest[:5] == b"WARC/"[: len(rest)]

    def take_to_next(self, limit: int) -> bytes | None:
        """The bytes up to the next record or the end; None if they are more than the limit."""
        searched = self._at
        while not (match := _NEXT.search(self._data, searched)):
            at_hand = len(self._data) - self._at
            if at_hand > limit + OVERLAP:
                self.pass_body(1 << 62)
                return None
            offset = max(0, at_hand - OVERLAP)
            if self.have(at_hand + OVERLAP) == at_hand:
                return self.take(at_hand).removesuffix(b"\n").removesuffix(b"\r")
            searched = self._at + offset
        body = self.take(match.start() - self._at)
        self._at += match.end() - match.start()
        return body

    def pass_body(self, length: int) -> None:
        """Pass a body that is too long to hold, up to the next record if its length is wrong."""
        self.have(1 << 14)
        is_archive = _ARCHIVES.search(self._data, self._at, self._at + (1 << 14))
        while length > 0 and (at_hand := self.have(1 << 16)):
            match = None if is_archive else _NEXT.search(self._data, self._at)
            if match and match.start() - self._at < length:
                self._at = match.end()
                return
            step = min(length, at_hand if at_hand < 1 << 16 else at_hand - OVERLAP)
            self._at += step
            length -= step
