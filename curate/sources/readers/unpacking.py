"""Unpack gzip, Zstandard, bzip2 and xz, and go on after what is damaged.

A packed file is a row of members (gzip) or frames. One that is damaged costs itself: the next one
is found by its first bytes. Padding of zeros between members is no damage. A file of plain text
under the name of a packed one is read as it is: programs that fetch files may unpack them.
"""

from __future__ import annotations

import bz2
import codecs
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

LARGEST_WINDOW = 1 << 31
"""The bytes that a Zstandard frame may look back on (`zstd --long=31`): its memory at most."""

READ = 1 << 18
OUT = 1 << 16
"""Unpacked bytes are passed on in blocks of about this size."""


@dataclass(frozen=True)
class Lost:
    """A part of a file that could not be read: why, and its bytes; the file goes on after it.

    `harmless`: what stands before and after it is whole. `row` is the line or record before it,
    `rows` the number of its rows.
    """

    reason: str
    size: int = 0
    harmless: bool = False
    row: int = 0
    rows: int = 1


class _Decoder(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


def _zstd() -> _Decoder:
    import zstandard

    decompressor = zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW)
    decoder: _Decoder = decompressor.decompressobj()
    return decoder


@dataclass(frozen=True)
class Packing:
    """A way to pack: its name, how a member begins, what decodes one, and bytes to feed at a time.

    The output of a damaged piece is lost, and that of a bomb is held: so pieces are small.
    """

    name: str
    begins: re.Pattern[bytes]
    decoder: Callable[[], _Decoder]
    piece: int


PACKINGS = {
    ".gz": Packing(
        "gzip", re.compile(rb"\x1f\x8b\x08[\x00-\x1f]"), lambda: zlib.decompressobj(31), 1024
    ),
    ".zst": Packing("zstd", re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"), _zstd, 4096),
    ".bz2": Packing(
        "bzip2", re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), bz2.BZ2Decompressor, 4096
    ),
    ".xz": Packing(
        "xz", re.compile(rb"\xfd7zXZ\x00"), lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ), 4096
    ),
}
"""The packings by the suffix of a file."""

_LONGEST_START = 10
_FRAME = re.compile(rb"\x28\xb5\x2f\xfd")
_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")


def packing_of(head: bytes) -> Packing | None:
    """How a file is packed by its first bytes, whatever its name says; None for a plain one."""
    for packing in PACKINGS.values():
        begins = _FRAME if packing.name == "zstd" else packing.begins
        if begins.match(head):
            return packing
    return None


def unpacked(file: Any, packing: Packing, head: bytes = b"") -> Iterator[bytes | Lost]:
    """Yield the bytes of a packed file, and what of it could not be unpacked, in its order.

    `head` are bytes that were taken from the file before.
    """
    packed = _Packed(file, head)
    if not packing.begins.match(packed.peek(_LONGEST_START)) and _is_text(packed.peek(READ)):
        yield from packed.rest()
        return
    members = 0
    while packed.peek(1):
        if packed.peek(1) == b"\0":
            packed.pass_zeros()
        elif not packing.begins.match(packed.peek(_LONGEST_START)):
            size = packed.pass_to(packing.begins)
            where = f" behind member {members}" if members else ""
            yield Lost(f"{size:,} bytes{where} are not {packing.name}", size, harmless=members > 0)
        elif packing.name == "zstd" and _SKIPPABLE.match(packed.peek(4)):
            packed.take(8 + int.from_bytes(packed.peek(8)[4:], "little"))
        else:
            yield from _member(packed, packing)
            members += 1


def _is_text(data: bytes) -> bool:
    """Whether data is text in UTF-8; its last character may go on."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return False
    return bool(text) and "\0" not in text


def _member(packed: _Packed, packing: Packing) -> Iterator[bytes | Lost]:
    """Yield the bytes of the member that begins here; after damage, pass to the next one."""
    decoder = packing.decoder()
    out: list[bytes] = []
    size = 0
    while not decoder.eof:
        piece = packed.take(packing.piece)
        if not piece:
            yield b"".join(out)
            yield Lost(f"the {packing.name} data ends too early")
            return
        try:
            out.append(decoder.decompress(piece))
        except Exception as error:  # each library has an error of its own
            yield b"".join(out)
            packed.put_back(piece[1:])
            lost = 1 + packed.pass_to(packing.begins)
            yield Lost(f"damaged {packing.name} data ({error}): {lost:,} packed bytes", lost)
            return
        size += len(out[-1])
        if size >= OUT:
            yield b"".join(out)
            out, size = [], 0
    packed.put_back(decoder.unused_data)
    yield b"".join(out)


class _Packed:
    """A file as packed bytes that can be looked at before they are taken."""

    def __init__(self, file: Any, head: bytes) -> None:
        self._file = file
        self._data = head
        self._at = 0

    def peek(self, size: int) -> bytes:
        """The next bytes, fewer at the end of the file."""
        while len(self._data) - self._at < size and (more := self._file.read(READ)):
            self._data, self._at = self._data[self._at :] + more, 0
        return self._data[self._at : self._at + size]

    def take(self, size: int) -> bytes:
        """The next bytes, which are then passed."""
        taken = self.peek(min(size, READ))
        self._at += len(taken)
        if len(taken) == READ < size:
            return taken + self.take(size - READ)
        return taken

    def put_back(self, data: bytes) -> None:
        """Put bytes back that were taken last."""
        if data:
            self._at -= len(data)

    def rest(self) -> Iterator[bytes]:
        """Take all that is left, in blocks."""
        while data := self.take(READ):
            yield data

    def pass_zeros(self) -> None:
        """Pass all zeros that stand here."""
        while data := self.peek(READ):
            rest = data.lstrip(b"\0")
            self._at += len(data) - len(rest)
            if rest:
                break

    def pass_to(self, begins: re.Pattern[bytes]) -> int:
        """Pass to where a member begins, or to the end; the number of bytes passed."""
        passed = 0
        while data := self.peek(READ):
            match = begins.search(data)
            step = match.start() if match else max(1, len(data) - _LONGEST_START + 1)
            if match is None and len(data) < READ:
                step = len(data)
            self._at += step
            passed += step
            if match:
                break
        return passed
