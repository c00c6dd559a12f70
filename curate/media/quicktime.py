"""Places in MP4, QuickTime, HEIC and AVIF: what is overwritten, so that every length stays.

Boxes of places, XMP, keys of `mdta`, free-form tags of iTunes, EXIF of stills, and whole tracks of
telemetry (GoPro, CAMM, Apple's timed metadata), whose samples are places. Sources: ISO 14496-12,
3GPP TS 26.244 (`loci`), QuickTime File Format (Apple).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from curate.media import tiff
from curate.media.medium import MediumError

Edit = tuple[int, bytes]
"""Where bytes are overwritten, and by which, of the same number."""

STARTS = (b"ftyp", b"moov", b"wide", b"mdat", b"free")
"""The names of boxes that a file begins with."""

PLACE_WORD = re.compile(rb"location|gps|latitude|longitude|geo_?tag|coordinates", re.IGNORECASE)
"""What the key of a tag holds if its value tells a place."""

_STILLS = (b"heic", b"heix", b"avif", b"mif1", b"msf1", b"avis", b"hevc")
_EXIF = re.compile(rb"Exif\0\0(?=II\*\0|MM\0\*)")
_PLACE_BOX = re.compile(rb"\xa9xyz|loci|GPMF|gps ")
_XMP_BOX = re.compile(rb"XMP_|uuid\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac")
_OWN_TAG = re.compile(rb"----")
_ISO_6709 = re.compile(rb"(?<=\0)[+-]\d{2,6}(?:\.\d+)?[+-]\d{3,7}(?:\.\d+)?(?:[+-]\d+(?:\.\d+)?)?/")
_TELEMETRY = (b"gpmd", b"camm", b"mebx", b"rtmd", b"djmd", b"dbgi")
"""Formats of tracks that cameras write their places into."""

MOST_PARTS, MOST_TAGS = 8, 1000
"""So many XMP boxes and items of EXIF, and so many free-form tags, are looked at."""

LONGEST_NAME, LONGEST_EXIF = 1 << 12, 1 << 20
"""A free-form tag tells its name within so many bytes; an item of EXIF has no more."""

MOST_SAMPLES = 1_000_000
"""Samples of a track of telemetry that are overwritten."""


def edits(data: bytes) -> Iterator[Edit]:
    """Yield what is overwritten in a file so that it tells no place."""
    is_still = data[8:12] in _STILLS
    for name, start, body, end in boxes(data, 0, len(data)):
        if name in (b"moov", b"moof", b"meta", b"udta", b"uuid"):
            yield from _of_descriptions(data, start, end)
        elif name == b"free" and data[body : body + 4] == b"GPS ":  # cameras of cars
            yield body, bytes(end - body)
        if name == b"moov":
            for track in boxes(data, body, end):
                yield from _of_track(data, *track)
    if is_still:
        yield from _of_exif(data)


def boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int, int]]:
    """Yield the boxes of a stretch: name, its start, that of its content, and its end."""
    while start + 8 <= end:
        size, body = int.from_bytes(data[start : start + 4]), start + 8
        if size == 1:
            size, body = int.from_bytes(data[start + 8 : start + 16]), start + 16
        stop = end if size < 8 else min(start + size, end)
        yield data[start + 4 : start + 8], start, min(body, stop), stop
        start = stop


def _of_descriptions(data: bytes, start: int, end: int) -> Iterator[Edit]:
    """What tells a place in a box of descriptions, however deep it stands."""
    done = start
    for found in _PLACE_BOX.finditer(data, start, end):
        if found.start() - 4 >= done:  # what lies within a freed box is gone
            for at, new in _freed(data, found.start() - 4, start, end):
                done = at + len(new)
                yield at, new
    for found in few(_XMP_BOX.finditer(data, start, end), MOST_PARTS):
        size = int.from_bytes(data[max(start, found.start() - 4) : found.start()])
        if tiff.xmp_tells(data[found.end() : min(end, found.start() - 4 + size)]):
            yield from _freed(data, found.start() - 4, start, end)
    if data.find(b"location.ISO6709", start, end) >= 0:
        for found in _ISO_6709.finditer(data, start, end):
            yield found.start(), bytes(found.end() - found.start())
    yield from _of_keys(data, start, end)
    yield from _of_own_tags(data, start, end)


def _freed(data: bytes, at: int, start: int, end: int) -> Iterator[Edit]:
    """A box becomes free space, filled with zeros, if one is there."""
    size = int.from_bytes(data[max(start, at) : at + 4])
    if at >= start and 8 <= size <= end - at:
        yield at + 4, b"free".ljust(size - 4, b"\0")


def _of_keys(data: bytes, start: int, end: int) -> Iterator[Edit]:
    """The values of keys that name a place, such as `com.apple.quicktime.location.name`."""
    keys = data.find(b"keys", start, end)
    values = data.find(b"ilst", keys, end) if keys >= 0 else -1
    if values < 4 or keys < 4:
        return
    stop = min(end, keys - 4 + int.from_bytes(data[keys - 4 : keys]))
    own = boxes(data, keys + 12, stop)
    named = {
        number
        for number, (_, _, body, after) in enumerate(own, 1)
        if PLACE_WORD.search(data[body:after])
    }
    stop = min(end, values - 4 + int.from_bytes(data[values - 4 : values]))
    for name, _, body, after in boxes(data, values + 4, stop):
        if int.from_bytes(name) in named:
            yield from _emptied(data, body, after)


def _of_own_tags(data: bytes, start: int, end: int) -> Iterator[Edit]:
    """The values of free-form tags whose names tell of a place."""
    done = start
    for found in few(_OWN_TAG.finditer(data, start, end), MOST_TAGS):
        at = found.start() - 4
        stop = min(end, at + int.from_bytes(data[max(0, at) : at + 4]))
        parts = boxes(data, at + 8, min(stop, at + LONGEST_NAME))
        if at >= done and any(
            name == b"name" and PLACE_WORD.search(data[body:after])
            for name, _, body, after in parts
        ):
            done = stop
            yield from _emptied(data, at + 8, stop)


def _emptied(data: bytes, start: int, end: int) -> Iterator[Edit]:
    """The values in boxes `data`, after their type and their language, become zeros."""
    for name, _, body, stop in boxes(data, start, end):
        if name == b"data" and any(data[body + 8 : stop]):
            yield body + 8, bytes(stop - body - 8)


def _of_exif(data: bytes) -> Iterator[Edit]:
    """EXIF that stands as it is, as an item of HEIC or AVIF."""
    for found in few(_EXIF.finditer(data), MOST_PARTS):
        own = data[found.end() : found.end() + LONGEST_EXIF]
        if tiff.Tiff(own).tells_place():
            yield found.end(), tiff.without_places(own)


def few(marks: Iterable[re.Match[bytes]], most: int) -> Iterator[re.Match[bytes]]:
    """Yield marks in a file. MediumError where there are too many to look at each."""
    for number, mark in enumerate(marks):
        if number == most:
            raise MediumError("it has too many parts of metadata")
        yield mark


# ── tracks of telemetry


def _of_track(data: bytes, name: bytes, start: int, body: int, end: int) -> Iterator[Edit]:
    """A track of telemetry becomes free space, and its samples zeros."""
    if name != b"trak":
        return
    tables = _tables(data, body, end)
    if data[tables.get(b"stsd", (0, 0))[0] + 12 :][:4] not in _TELEMETRY:
        return
    for at, size in _samples(data, tables):
        if 0 < size <= len(data) - at:
            yield at, bytes(size)
    yield start + 4, b"free".ljust(end - start - 4, b"\0")


def _tables(data: bytes, body: int, end: int) -> dict[bytes, tuple[int, int]]:
    """The tables of a track: where the content of each begins and ends."""
    tables: dict[bytes, tuple[int, int]] = {}
    for name, _, inner, stop in boxes(data, body, end):
        if name in (b"mdia", b"minf", b"stbl"):
            tables |= _tables(data, inner, stop)
        else:
            tables[name] = (inner, stop)
    return tables


def _samples(data: bytes, tables: dict[bytes, tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield where the samples of a track stand, and their bytes."""
    width = 8 if b"co64" in tables else 4
    chunks = _numbers(data, tables.get(b"co64") or tables.get(b"stco"), 8, width)
    runs = _numbers(data, tables.get(b"stsc"), 8, 4)
    sizes = _numbers(data, tables.get(b"stsz"), 12, 4)
    table = tables.get(b"stsz", (0, 0))[0]
    fixed = int.from_bytes(data[table + 4 : table + 8]) if table else 0
    starts = dict(zip(runs[::3], runs[1::3], strict=False))
    in_chunk, number = 1, 0
    for chunk, at in enumerate(chunks, 1):
        in_chunk = starts.get(chunk, in_chunk)
        for _ in range(in_chunk):
            if number >= MOST_SAMPLES or not (fixed or number < len(sizes)):
                return
            size = fixed or sizes[number]
            yield at, size
            at, number = at + size, number + 1


def _numbers(data: bytes, table: tuple[int, int] | None, skip: int, width: int) -> list[int]:
    """The numbers of a table after its head."""
    if table is None:
        return []
    own = data[table[0] + skip : table[1]]
    return [int.from_bytes(own[at : at + width]) for at in range(0, len(own) - width + 1, width)]
