"""Places in GIF: XMP and IPTC in its blocks of applications, overwritten where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator

from curate.media.marks import Edit
from curate.media.medium import MediumError
from curate.media.tiff import iptc_tells, xmp_tells

_APPLICATION = re.compile(rb"!\xff\x0b(XMP DataXMP|MGKIPTC0000|MGK8BIM0000)")
_TRAILER = bytes((1, *range(255, -1, -1), 0))
"""What ends XMP: from wherever a reader comes, its blocks end there."""

MOST_BLOCKS = 100_000
"""Blocks of a part of metadata that are looked at."""


def edits(data: bytes) -> Iterator[Edit]:
    """Yield what is overwritten in a GIF so that it tells no place.

    Raises MediumError for a place that cannot be overwritten.
    """
    done = 0
    for found in _APPLICATION.finditer(data):
        start = found.end()
        if start < done:
            continue
        if found[1].startswith(b"XMP"):
            end = data.find(_TRAILER, start)
            done = len(data) if end < 0 else end
            if not xmp_tells(data[start:done]):
                continue
            if end < 0:
                raise MediumError("its XMP tells a place, and cannot be cleaned")
            yield start, b" " * (end - start)
        else:
            blocks = list(_blocks(data, start))
            done = blocks[-1][1] if blocks else start
            if iptc_tells(b"".join(data[first:stop] for first, stop in blocks)):
                yield from ((first, bytes(stop - first)) for first, stop in blocks)


def _blocks(data: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Yield the contents of blocks, each behind its length, up to an empty one."""
    for _ in range(MOST_BLOCKS):
        if at >= len(data) or not data[at]:
            return
        stop = min(at + 1 + data[at], len(data))
        yield at + 1, stop
        at = stop
    raise MediumError("it has too many parts of metadata")
