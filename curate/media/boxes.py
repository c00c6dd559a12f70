"""The tables of an MP4 (ISO 14496-12), looked at before FFmpeg builds its own from them.

A few bytes can claim billions of samples, for which FFmpeg would take memory.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from curate.media.medium import MediumError

_PARENTS = {b"moov", b"trak", b"mdia", b"minf", b"stbl"}

MOST_BOXES = 10_000
"""Boxes that are looked at."""


def check_boxes(file: BinaryIO, most_samples: int) -> None:
    """Refuse an MP4 whose tables claim more samples. MediumError if so, or if boxes are too many.

    Samples of audio are some 50 a second, those of video its frames.
    """
    file.seek(0, 2)
    left = MOST_BOXES
    for name, start, size in _boxes(file, 0, file.tell()):
        left -= 1
        if not left:
            raise MediumError("the file is damaged: it has too many boxes")
        count = _claimed(file, name, start, size)
        if count > most_samples:
            raise MediumError(f"{count} frames, and {most_samples} are allowed")


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, first byte of the content and its length, of all boxes that hold samples."""
    while start + 8 <= end:
        file.seek(start)
        head = file.read(16)
        if len(head) < 8:
            return
        size, name = struct.unpack(">I4s", head[:8])
        header = 8
        if size == 1 and len(head) == 16:
            (size,), header = struct.unpack(">Q", head[8:]), 16
        size = size or end - start
        if size < header:
            return
        stop = min(end, start + size)
        yield name, start + header, stop - start - header
        if name in _PARENTS:
            yield from _boxes(file, start + header, stop)
        start += size


def _claimed(file: BinaryIO, name: bytes, start: int, size: int) -> int:
    """The samples that a table claims; 0 for another box."""
    if name not in (b"stsz", b"stz2", b"stts") or size < 12:
        return 0
    file.seek(start)
    if name != b"stts":
        return int(struct.unpack(">I", file.read(12)[8:])[0])
    entries = int(struct.unpack(">I", file.read(8)[4:])[0])
    table = file.read(min(entries * 8, size - 8))
    return sum(count for count, _ in struct.iter_unpack(">II", table[: len(table) // 8 * 8]))
