"""Metadata that tells places: found, and left out. Pixels stay as they are, bit for bit.

EXIF (GPS), XMP and IPTC are read in JPEG, PNG, WebP and TIFF, EXIF in HEIC and AVIF, the location
of the camera in MP4 and QuickTime. Other formats are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from curate.media import containers, tiff
from curate.media.containers import Part
from curate.media.medium import MediumError

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_EXIF_OF_HEIF = re.compile(rb"Exif\0\0(?=II\*\0|MM\0\*)")
_PLACE_BOX = re.compile(rb"\xa9xyz|loci")
_ISO_6709 = re.compile(rb"(?<=\0)[+-]\d{2,6}(?:\.\d+)?[+-]\d{3,7}(?:\.\d+)?(?:[+-]\d+(?:\.\d+)?)?/")


def tells_place(data: bytes) -> bool:
    """Whether the metadata of an image or a film tell where it was taken."""
    return any(part.tells for part in _parts(data))


def without_places(data: bytes) -> bytes:
    """The file without what tells a place; the same bytes if nothing does.

    Raises MediumError if a place would stay.
    """
    parts = list(_parts(data))
    if not any(part.tells for part in parts):
        return data
    if data[:4] == b"RIFF":
        cleaned = containers.joined_webp(parts)
    else:
        cleaned = b"".join(part.without if part.tells else part.data for part in parts)
    if tells_place(cleaned):
        raise MediumError("its metadata tell a place, and cannot be cleaned")
    return cleaned


def _parts(data: bytes) -> Iterator[Part]:
    """The parts of a file; a file of another format is one part."""
    return _reader(data)(data)


def _reader(data: bytes) -> Callable[[bytes], Iterator[Part]]:
    if data[:2] == b"\xff\xd8":
        return containers.jpeg
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return containers.png
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return containers.webp
    if data[:4] in _TIFF:
        return _tiff
    return _boxes if data[4:8] in (b"ftyp", b"moov", b"wide", b"mdat", b"free") else _whole


def _tiff(data: bytes) -> Iterator[Part]:
    tells = tiff.Tiff(data).tells_place()
    yield Part(data, tells, tiff.without_places(data) if tells else data)


def _whole(data: bytes) -> Iterator[Part]:
    yield Part(data)


# ── boxes of HEIC, AVIF, MP4 and QuickTime


def _boxes(data: bytes) -> Iterator[Part]:
    """Yield the boxes of the top level; those of media data only where EXIF may stand in them."""
    at = 0
    is_still = data[8:12] in (b"heic", b"heix", b"avif", b"mif1", b"msf1", b"avis", b"hevc")
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        size = int.from_bytes(data[at + 8 : at + 16], "big") if size == 1 else size
        end = len(data) if size < 8 else min(at + size, len(data))
        box, name = data[at:end], data[at + 4 : at + 8]
        if name in (b"moov", b"meta", b"udta"):
            yield _described(box)
        elif is_still:
            yield _with_exif(box)
        else:
            yield Part(box)
        at = end
    yield Part(data[at:])


def _described(box: bytes) -> Part:
    """A box of descriptions: locations in it become free space and zeros."""
    edited = bytearray(box)
    for found in _PLACE_BOX.finditer(box):
        start = found.start() - 4
        size = int.from_bytes(box[max(0, start) : found.start()], "big")
        if start >= 0 and 8 <= size <= len(box) - start:
            edited[found.start() : start + size] = b"free".ljust(size - 4, b"\0")
    if b"location.ISO6709" in box:
        for found in _ISO_6709.finditer(box):
            edited[found.start() : found.end()] = bytes(found.end() - found.start())
    return Part(box, bytes(edited) != box, bytes(edited))


def _with_exif(box: bytes) -> Part:
    """A box in which EXIF stands as it is, as an item of HEIC or AVIF."""
    cleaned = box
    for found in _EXIF_OF_HEIF.finditer(box):
        if tiff.Tiff(cleaned, found.end()).tells_place():
            cleaned = tiff.without_places(cleaned, found.end())
    return Part(box, cleaned != box, cleaned)
