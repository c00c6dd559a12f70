"""Places in subtitles, as drones write them: `GPS (8.5600, 47.3000, 19)`, `[latitude: 47.3000]`.

Here are the words, and the subtitles of Matroska and WebM; those of MP4 stand in `telemetry`.
Source: RFC 9559.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from curate.media.marks import Edit
from curate.media.medium import MediumError

_PLACE = re.compile(
    rb"\b(?:gps|lat(?:itude)?|lon(?:gt?itude)?)\W{1,4}[-+]?\d{1,3}\.\d\d", re.IGNORECASE
)

LONGEST = 1 << 16
"""Bytes of a subtitle that are read."""

MOST_ELEMENTS = 2_000_000
"""Elements of a file with subtitles that are walked."""

_SEGMENT, _TRACKS, _TRACK = 0x18538067, 0x1654AE6B, 0xAE
_CLUSTER, _GROUP = 0x1F43B675, 0xA0
_PARENTS = (_SEGMENT, _TRACKS, _TRACK, _CLUSTER, _GROUP)
_NUMBER, _CODEC, _BLOCKS = 0xD7, 0x86, (0xA3, 0xA1)
_TEXT = b"S_TEXT"


def tell_place(text: bytes) -> bool:
    """Whether a subtitle tells where it was taken; it may be compressed by zlib."""
    if text[:1] == b"\x78":
        try:
            text = zlib.decompressobj().decompress(text, LONGEST)
        except zlib.error:
            return False
    return _PLACE.search(text, 0, LONGEST) is not None


def of_matroska(data: bytes) -> Iterator[Edit]:
    """Subtitles that tell a place become spaces. MediumError where elements are too many."""
    if data.find(_TEXT) < 0:
        return
    texts: set[int] = set()
    number, is_text = 0, False
    for name, body, end in _elements(data):
        if name == _TRACK:
            number, is_text = 0, False
        elif name == _NUMBER:
            number = int.from_bytes(data[body : min(end, body + 8)])
        elif name == _CODEC:
            is_text = data.startswith(_TEXT, body)
        elif name in _BLOCKS and texts:
            own, start = numbered(data, body)
            start += 3  # a time and flags
            if own in texts and tell_place(data[start : min(end, start + LONGEST)]):
                yield start, b" " * (end - start)
        if is_text and number:
            texts.add(number)


def _elements(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the elements of a file with their name, and where their content begins and ends.

    Those that hold others are entered, so their ends, which may not be known, do not matter.
    """
    at = 0
    for _ in range(MOST_ELEMENTS):
        width = 9 - (data[at].bit_length() if at < len(data) else 0)
        name, body = int.from_bytes(data[at : at + width]), at + width
        if width > 4 or body >= len(data):
            return
        size, body = numbered(data, body)
        end = len(data) if size is None else min(body + size, len(data))
        yield name, body, end
        at = body if name in _PARENTS else end
    raise MediumError("it has too many elements")


def numbered(data: bytes, at: int) -> tuple[int | None, int]:
    """A number of variable width, None where it says that it is not known; and where it ends."""
    first = data[at] if at < len(data) else 0
    width = 9 - first.bit_length()
    if not first:
        return 0, at
    number = int.from_bytes(data[at : at + width]) & ~(1 << 7 * width)
    return (None if number == (1 << 7 * width) - 1 else number), at + width
