"""Tracks of films whose samples are places: telemetry (GoPro, CAMM, Apple), subtitles of drones.

A sample is overwritten where the tables of its track say. Where they do not say it for each, a
place would stay, and the file is refused. Source: ISO 14496-12.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from curate.media import subtitles
from curate.media.marks import Edit
from curate.media.medium import MediumError

FORMATS = (b"gpmd", b"camm", b"mebx", b"rtmd", b"djmd", b"dbgi")
"""Formats of tracks that cameras write their places into."""

TEXTS = (b"tx3g", b"text", b"sbtl", b"wvtt", b"stpp")
"""Formats of subtitles."""

MOST_SAMPLES = 1_000_000
"""Samples and chunks of all tracks of telemetry that are looked at."""

MOST_BOXES = 100_000
"""Boxes of a stretch that are looked at."""

DEEPEST = 8
"""Boxes within boxes that are looked into."""

_Tables = dict[bytes, tuple[int, int]]


def boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int, int]]:
    """Yield the boxes of a stretch: name, its start, that of its content, and its end.

    Raises MediumError where there are too many.
    """
    number = 0
    while start + 8 <= end:
        number += 1
        if number > MOST_BOXES:
            raise MediumError("it has too many boxes")
        size, body = int.from_bytes(data[start : start + 4]), start + 8
        if size == 1:
            size, body = int.from_bytes(data[start + 8 : start + 16]), start + 16
        stop = end if size < 8 else min(start + size, end)
        yield data[start + 4 : start + 8], start, min(body, stop), stop
        start = stop


@dataclass
class _Budget:
    """What may still be read: bytes and samples. More of them overlap, or are made to cost."""

    bytes: int
    samples: int = MOST_SAMPLES

    def take(self, size: int) -> None:
        self.bytes, self.samples = self.bytes - size, self.samples - 1
        if self.bytes < 0 or self.samples < 0:
            raise _staying("overlap, or are too many")


def of_tracks(data: bytes, body: int, end: int, *, has_fragments: bool) -> Iterator[Edit]:
    """Tracks of telemetry in a box `moov` become free space, and their samples zeros.

    So do subtitles of which one tells a place. Raises MediumError for samples that cannot be
    overwritten.
    """
    looked, gone = _Budget(len(data)), _Budget(len(data))
    for name, start, inner, stop in boxes(data, body, end):
        if name != b"trak":
            continue
        tables = _tables(data, inner, stop, 0)
        formats = _formats(data, tables)
        if formats.isdisjoint(FORMATS):
            if formats.isdisjoint(TEXTS) or not _subtitles_tell(data, tables, looked):
                continue
        elif has_fragments:
            raise _staying("stand in fragments")
        for at, size in _samples(data, tables):
            gone.take(size)
            if size > len(data) - at:
                raise _staying("end behind the file")
            if size:
                yield at, bytes(size)
        yield start + 4, b"free".ljust(stop - start - 4, b"\0")


def _subtitles_tell(data: bytes, tables: _Tables, looked: _Budget) -> bool:
    """Whether a subtitle tells a place, of those that stand in the file."""
    for at, size in _samples(data, tables):
        looked.take(max(0, min(size, len(data) - at)))
        if subtitles.tell_place(data[at + 2 : at + size]):  # behind its length
            return True
    return False


def _staying(why: str) -> MediumError:
    return MediumError(f"its telemetry tells a place, and cannot be cleaned: its samples {why}")


def _tables(data: bytes, body: int, end: int, depth: int) -> _Tables:
    """The tables of a track: where the content of each begins and ends."""
    if depth > DEEPEST:
        raise MediumError("its boxes are too deep")
    tables: _Tables = {}
    for name, _, inner, stop in boxes(data, body, end):
        if name in (b"mdia", b"minf", b"stbl"):
            tables |= _tables(data, inner, stop, depth + 1)
        else:
            tables[name] = (inner, stop)
    return tables


def _formats(data: bytes, tables: _Tables) -> set[bytes]:
    """The formats of the samples of a track."""
    start, end = tables.get(b"stsd", (0, 0))
    return {name for name, *_ in islice(boxes(data, start + 8, end), 16)}


def _samples(data: bytes, tables: _Tables) -> Iterator[tuple[int, int]]:
    """Yield where the samples of a track stand, and their bytes.

    Raises MediumError where not all are told.
    """
    start, end = tables.get(b"stsz", (0, 0))
    if b"stz2" in tables or end - start < 12:
        raise _staying("have sizes that are not read")
    fixed = int.from_bytes(data[start + 4 : start + 8])
    count = int.from_bytes(data[start + 8 : start + 12])
    sizes = [] if fixed else _numbers(data, (start, end), 12, 4)
    if count > MOST_SAMPLES or (len(sizes) < count and not fixed):
        raise _staying("are too many, or lack sizes")
    width = 8 if b"co64" in tables else 4
    chunks = _numbers(data, tables.get(b"co64") or tables.get(b"stco"), 8, width)
    runs = _numbers(data, tables.get(b"stsc"), 8, 4)
    starts = dict(zip(runs[::3], runs[1::3], strict=False))
    in_chunk, number = 0, 0
    for chunk, at in enumerate(chunks, 1):
        in_chunk = starts.get(chunk, in_chunk)
        for own in range(number, min(number + in_chunk, count)):
            size = fixed or sizes[own]
            yield at, size
            at += size
        number = min(number + in_chunk, count)
    if number < count:
        raise _staying("are in no chunk")


def _numbers(data: bytes, table: tuple[int, int] | None, skip: int, width: int) -> list[int]:
    """The numbers of a table after its head, as many as it says."""
    if table is None:
        return []
    start = table[0] + skip
    if (table[1] - start) // width > 3 * MOST_SAMPLES:
        raise _staying("are too many")
    own = data[start : table[1]]
    return [int.from_bytes(own[at : at + width]) for at in range(0, len(own) - width + 1, width)]
