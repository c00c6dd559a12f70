"""Metadata that tells places: found, and left out. Pixels and sound stay as they are, bit for bit.

EXIF (GPS), XMP and IPTC are read in JPEG, PNG, WebP and TIFF, EXIF and XMP in HEIC and AVIF, XMP
and IPTC in GIF, the location of the camera in MP4 and QuickTime, tags in other sounds and films.
BMP and MPEG have none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from curate.media import containers, gif, quicktime, tags, tiff
from curate.media.containers import Part
from curate.media.marks import Edit
from curate.media.medium import MediumError

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


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
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
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
    if data[4:8] in quicktime.STARTS:
        return _boxes
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return _gif
    return _tagged if tags.reads(data) else _whole


def _tiff(data: bytes) -> Iterator[Part]:
    tells = tiff.Tiff(data).tells_place()
    yield Part(data, tells, tiff.without_places(data) if tells else data)


def _whole(data: bytes) -> Iterator[Part]:
    yield Part(data)


def _boxes(data: bytes) -> Iterator[Part]:
    yield _edited(data, quicktime.edits(data))


def _gif(data: bytes) -> Iterator[Part]:
    yield _edited(data, gif.edits(data))


def _tagged(data: bytes) -> Iterator[Part]:
    yield _edited(data, tags.edits(data))


def _edited(data: bytes, edits: Iterable[Edit]) -> Part:
    """A file in which some bytes are overwritten by as many others."""
    edited: bytearray | None = None
    for at, new in edits:  # one at a time: all together may be as large as the file
        if edited is None:
            edited = bytearray(data)
        edited[at : at + len(new)] = new
    return Part(data) if edited is None else Part(data, True, bytes(edited))
