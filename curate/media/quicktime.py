"""Places in MP4, QuickTime, HEIC and AVIF: what is overwritten, so that every length stays.

Boxes of places, XMP, keys of `mdta`, free-form tags and covers of iTunes, EXIF and XMP of stills,
films within stills (`mpvd`), and whole tracks of telemetry (`telemetry`), whose samples are places.
Sources: ISO 14496-12, 3GPP TS 26.244 (`loci`), QuickTime File Format (Apple).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from curate.media import tiff
from curate.media.items import of_items
from curate.media.kinds import HEAD, kind_and_format
from curate.media.marks import MOST_PARTS, PLACE_WORD, Edit, few, picture_tells
from curate.media.medium import MediumError
from curate.media.telemetry import DEEPEST, boxes, of_tracks

STARTS = (b"ftyp", b"moov", b"wide", b"mdat", b"free")
"""The names of boxes that a file begins with."""

_STILLS = (("image", "heic"), ("image", "avif"))
_EXIF = re.compile(rb"Exif\0\0(?=II\*\0|MM\0\*)")
_PLACE_BOX = re.compile(rb"\xa9xyz|loci|GPMF|gps ")
_XMP_BOX = re.compile(rb"XMP_|uuid\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac")
_OWN_TAG = re.compile(rb"----")
_ISO_6709 = re.compile(rb"(?<=\0)[+-]\d{2,6}(?:\.\d+)?[+-]\d{3,7}(?:\.\d+)?(?:[+-]\d+(?:\.\d+)?)?/")
MOST_TAGS = 1000
"""So many free-form tags are looked at."""

DEEPEST_FILM = 3
"""Films within, or behind, pictures that are looked into."""

_PARENTS = (b"moov", b"moof", b"trak", b"traf", b"mdia", b"minf", b"udta", b"meta")
_IN_META = (b"hdlr", b"keys", b"ilst", b"mhdr", b"free")

LONGEST_NAME, LONGEST_EXIF = 1 << 12, 1 << 20
"""A free-form tag tells its name within so many bytes; an item of EXIF has no more."""


def edits(data: bytes, depth: int = 0) -> Iterator[Edit]:
    """Yield what is overwritten in a file so that it tells no place.

    A film within a picture, or behind it, is a file of its own. Raises MediumError if a place
    would stay.
    """
    if depth > DEEPEST_FILM:
        raise MediumError("its films are too deep")
    found = list(boxes(data, 0, len(data)))
    again = next((at for at, box in enumerate(found) if at and box[0] == b"ftyp"), len(found))
    has_fragments = any(name == b"moof" for name, *_ in found)
    for name, start, body, end in found[:again]:
        if name in (b"moov", b"moof", b"meta", b"udta", b"uuid"):
            yield from _of_descriptions(data, start, end)
        elif name == b"free" and data[body : body + 4] == b"GPS ":  # cameras of cars
            yield body, bytes(end - body)
        if name == b"moov":
            yield from of_tracks(data, body, end, has_fragments=has_fragments)
        elif name == b"meta":
            yield from of_items(data, body, end)
        elif name == b"mpvd":
            yield from _moved(edits(data[body:end], depth + 1), body)
    if kind_and_format(data[:HEAD]) in _STILLS:
        yield from _of_exif(data)
    if again < len(found):
        start = found[again][1]
        yield from _moved(edits(data[start:], depth + 1), start)


def _moved(own: Iterator[Edit], by: int) -> Iterator[Edit]:
    return ((at + by, new) for at, new in own)


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
    for body, stop in _metas(data, start, end, 0):
        yield from _of_meta(data, body, stop)
    yield from _of_own_tags(data, start, end)


def _freed(data: bytes, at: int, start: int, end: int) -> Iterator[Edit]:
    """A box becomes free space, filled with zeros, if one is there."""
    size = int.from_bytes(data[max(start, at) : at + 4])
    if at >= start and 8 <= size <= end - at:
        yield at + 4, b"free".ljust(size - 4, b"\0")


def _metas(data: bytes, start: int, end: int, depth: int) -> Iterator[tuple[int, int]]:
    """Yield the contents of boxes `meta` in a stretch, however deep they stand."""
    if depth > DEEPEST:
        raise MediumError("its boxes are too deep")
    for name, _, body, stop in boxes(data, start, end):
        if name == b"meta":
            body += 0 if data[body + 4 : body + 8] in _IN_META else 4
            yield body, stop
        if name in _PARENTS:
            yield from _metas(data, body, stop, depth + 1)


def _of_meta(data: bytes, start: int, end: int) -> Iterator[Edit]:
    """The values of keys that name a place, such as `com.apple.quicktime.location.name`.

    Covers that tell a place go as well.
    """
    own = list(boxes(data, start, end))
    named = {
        number
        for name, _, keys, stop in own
        if name == b"keys"
        for number, (_, _, body, after) in enumerate(boxes(data, keys + 8, stop), 1)
        if PLACE_WORD.search(data[body:after])
    }
    for name, _, values, stop in own:
        if name == b"ilst":
            for key, _, body, after in boxes(data, values, stop):
                if int.from_bytes(key) in named or (
                    key == b"covr" and picture_tells(data[body:after])
                ):
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
