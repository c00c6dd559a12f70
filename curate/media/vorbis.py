"""Places in comments of Vorbis: those of FLAC and of Ogg, walked by their lengths.

The key of a comment decides, never what its value holds. Sources: RFC 9639 (FLAC), RFC 3533 (Ogg),
RFC 7845 (Opus), the Vorbis I specification.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from curate.media.marks import PLACE_WORD, Edit, picture_tells
from curate.media.medium import MediumError

MOST_PAGES = 1_000_000
"""Pages of Ogg that are looked at."""

LONGEST = 32 << 20
"""The bytes of the comments of a stream of Ogg."""

_HEADS = (b"\x03vorbis", b"OpusTags", b"\x81theora")
_PICTURES = (b"metadata_block_picture", b"coverart")


def of_flac(data: bytes, at: int) -> Iterator[Edit]:
    """The comments and pictures of a FLAC that begins at a place of some bytes."""
    at, is_last = at + 4, False
    while at + 4 <= len(data) and not is_last:
        is_last = bool(data[at] & 0x80)
        end = min(at + 4 + int.from_bytes(data[at + 1 : at + 4]), len(data))
        for place, new in _of_block(data[at:end]):
            yield at + place, new
        at = end


def _of_block(block: bytes) -> Iterator[Edit]:
    """A block of metadata of FLAC: its comments, or all of a picture, which becomes padding."""
    kind = block[0] & 0x7F
    if kind == 4:
        yield from _of_comments(block, 4)
    if kind == 6 and picture_tells(block[4:]):
        yield 0, bytes([block[0] & 0x80 | 1]) + block[1:4] + bytes(len(block) - 4)


def _of_comments(data: bytes, at: int) -> Iterator[Edit]:
    """The values of comments whose key names a place, and of pictures that do, become spaces."""
    at += 4 + int.from_bytes(data[at : at + 4], "little")
    left = int.from_bytes(data[at : at + 4], "little")
    at += 4
    while left and at + 4 <= len(data):
        start, size = at + 4, int.from_bytes(data[at : at + 4], "little")
        key, equals, _ = data[start : min(start + size, start + 256)].partition(b"=")
        value, at = start + len(key) + 1, start + size
        if equals and PLACE_WORD.search(key):
            if at > len(data):
                raise MediumError("a comment of it tells a place, and cannot be cleaned")
            if data[value:at].strip():
                yield value, b" " * (at - value)
        elif equals and key.lower() in _PICTURES and _coded_tells(data[value:at]):
            yield value, b" " * (at - value)
        left -= 1


def _coded_tells(value: bytes) -> bool:
    """Whether a picture in base64 tells a place; one that cannot be read counts as doing so."""
    plain = b"".join(value.split())
    try:
        return bool(plain) and picture_tells(base64.b64decode(plain + b"=" * (-len(plain) % 4)))
    except binascii.Error:
        return True


# ── pages of Ogg


_Stretch = tuple[int, int, int, int]
"""A part of a packet: its start and its end, and those of its page."""


class _Stream:
    """The packet of a logical stream that is being gathered, and how many came before it."""

    def __init__(self) -> None:
        self.number = 0
        self.parts: list[_Stretch] = []
        self.size = 0
        self.is_flac = False
        self.is_done = False


def of_ogg(data: bytes) -> Iterator[Edit]:
    """Comments in pages of Ogg, however many they fill; a changed page gets its new sum."""
    changed: dict[int, bytearray] = {}
    streams: dict[bytes, _Stream] = {}
    for at, body, end in _pages(data):
        serial = data[at + 14 : at + 18]
        if data[at + 5] & 2:
            streams[serial] = _Stream()
        stream = streams.get(serial)
        if stream is None or stream.is_done:
            continue
        for parts in _packets(data, stream, (at, end), body):
            _edit(data, parts, changed, is_flac=stream.is_flac)
    for stream in streams.values():
        if stream.number and stream.parts and not stream.is_done:  # the file is cut
            _edit(data, stream.parts, changed, is_flac=stream.is_flac)
    for at, page in sorted(changed.items()):
        page[22:26] = bytes(4)
        page[22:26] = _sum(page).to_bytes(4, "little")
        yield at, bytes(page)


def _pages(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the pages: where each begins, where its content does, and its end."""
    at = number = 0
    while (at := data.find(b"OggS", at)) >= 0 and at + 27 <= len(data):
        number += 1
        if number > MOST_PAGES:
            raise MediumError("it has too many pages")
        segments = data[at + 27 : at + 27 + data[at + 26]]
        body = at + 27 + len(segments)
        end = min(body + sum(segments), len(data))
        yield at, body, end
        at = max(end, at + 27)


def _packets(
    data: bytes, stream: _Stream, page: tuple[int, int], body: int
) -> Iterator[list[_Stretch]]:
    """Yield where the packets of comments lie that end in a page: their stretches."""
    start = place = body
    for segment in data[page[0] + 27 : body]:
        place = min(place + segment, len(data))
        if segment == 255:
            continue
        parts, stream.parts = [*stream.parts, (start, place, *page)], []
        start, stream.size = place, 0
        if stream.number == 0:
            stream.is_flac = data.startswith(b"\x7fFLAC", parts[0][0])
        else:
            yield parts
            is_last = bool(data[parts[0][0]] & 0x80) if parts[0][0] < len(data) else True
            stream.is_done = is_last if stream.is_flac else True
        stream.number += 1
        if stream.is_done:
            return
    if place > start:
        stream.parts.append((start, place, *page))
    stream.size += place - start
    if stream.size > LONGEST:
        raise MediumError("its comments are too long to be looked at")


def _edit(
    data: bytes,
    parts: list[_Stretch],
    changed: dict[int, bytearray],
    *,
    is_flac: bool,
) -> None:
    """Overwrite the places of a packet in copies of the pages that hold it."""
    packet = b"".join(data[start:stop] for start, stop, _, _ in parts)
    if is_flac:
        edits = list(_of_block(packet)) if packet else []
    else:
        head = next((len(head) for head in _HEADS if packet.startswith(head)), 0)
        edits = list(_of_comments(packet, head))
    if not edits:
        return
    edited = bytearray(packet)
    for at, new in edits:
        edited[at : at + len(new)] = new
    done = 0
    for start, stop, at, end in parts:
        page = changed.setdefault(at, bytearray(data[at:end]))
        page[start - at : stop - at] = edited[done : done + stop - start]
        done += stop - start


def _remainders() -> Iterator[int]:
    for byte in range(256):
        total = byte << 24
        for _ in range(8):
            total = (total << 1 ^ (0x04C11DB7 if total & 0x80000000 else 0)) & 0xFFFFFFFF
        yield total


_REMAINDERS = tuple(_remainders())


def _sum(page: bytearray) -> int:
    """The CRC of a page (RFC 3533): 32 bits, the polynomial 04c11db7, nothing reflected."""
    total = 0
    for byte in page:
        total = (total << 8 & 0xFFFFFFFF) ^ _REMAINDERS[total >> 24 ^ byte]
    return total
