"""Places in the tags of sounds and films: what is overwritten, so that every length stays.

ID3 (MP3, WAV, AIFF), Vorbis comments (FLAC, Ogg), chunks of RIFF and AIFF (iXML, XMP, those of
Nikon), tags of Matroska. Sources: id3.org (2.2 to 2.4), RFC 9639, RFC 3533, RFC 9559, EBU iXML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from curate.media.containers import jpeg, png
from curate.media.medium import MediumError
from curate.media.quicktime import MOST_PARTS, PLACE_WORD, Edit, few
from curate.media.tiff import xmp_tells

COMMENTS = 1 << 20
"""Comments of Ogg stand within so many first bytes."""

_COMMENT = re.compile(rb"[\x20-\x3c\x3e-\x7e]{0,60}?=", re.DOTALL)
_IXML_PLACE = re.compile(rb"<LOCATION_(?:NAME|GPS|ALTITUDE)>\s*[^<\s]", re.IGNORECASE)
_ID3 = re.compile(rb"TXXX|TXX|WXXX|WXX|GEOB|GEO|PRIV")


def reads(data: bytes) -> bool:
    """Whether a file has tags that are looked at."""
    return data[:4] in (b"fLaC", b"OggS", b"RIFF", b"RF64", b"FORM", b"\x1aE\xdf\xa3") or (
        data[:3] == b"ID3"
    )


def edits(data: bytes) -> Iterator[Edit]:
    """Yield what is overwritten in a file so that its tags tell no place.

    Raises MediumError for a place that cannot be overwritten.
    """
    if data[:3] == b"ID3":
        yield from _of_id3(data, 0, len(data))
    elif data[:4] == b"fLaC":
        yield from _of_flac(data)
    elif data[:4] == b"OggS":
        yield from _of_ogg(data)
    elif data[:4] == b"\x1aE\xdf\xa3":
        yield from _of_matroska(data)
    elif reads(data):
        yield from _of_chunks(data, "big" if data[:4] == b"FORM" else "little")


# ── ID3


def _of_id3(data: bytes, start: int, end: int) -> Iterator[Edit]:
    """A tag of ID3: frames that tell a place go, and as many zeros stand at its end."""
    size = min(_syncsafe(data[start + 6 : start + 10]), end - start - 10)
    body, version, flags = data[start + 10 : start + 10 + size], data[start + 3], data[start + 5]
    if flags & 0xC0 or version not in (2, 3, 4):  # frames are not where they seem to be
        if PLACE_WORD.search(body.replace(b"\0", b"")):
            yield start + 10, bytes(size)
        return
    kept, told = b"", False
    for name, frame in _frames(body, version):
        if _frame_tells(name, frame):
            told = True
        else:
            kept += frame
    if told:
        yield start + 10, kept.ljust(size, b"\0")


def _frames(body: bytes, version: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield the frames of a tag with their names, up to its padding."""
    width, head = (3, 6) if version == 2 else (4, 10)
    at = 0
    while at + head <= len(body) and body[at]:
        told = body[at + width : at + 2 * width]
        size = _syncsafe(told) if version == 4 else int.from_bytes(told)
        yield body[at : at + width], body[at : at + head + size]
        at += head + size


def _syncsafe(data: bytes) -> int:
    number = 0
    for byte in data:
        number = number << 7 | byte & 0x7F
    return number


def _frame_tells(name: bytes, frame: bytes) -> bool:
    """Whether a frame tells a place: by its description, in XMP, or in the EXIF of a picture."""
    if name in (b"APIC", b"PIC"):
        return _picture_tells(frame)
    content = frame[6 if len(name) == 3 else 10 :].replace(b"\0", b"")
    if not _ID3.fullmatch(name):
        return False
    return PLACE_WORD.search(content[:200]) is not None or xmp_tells(content)


def _picture_tells(data: bytes) -> bool:
    """Whether the picture within a tag tells a place."""
    found = re.search(rb"\xff\xd8\xff|\x89PNG\r\n", data)
    if found is None:
        return False
    own = data[found.start() :]
    return any(part.tells for part in (jpeg(own) if own[:1] == b"\xff" else png(own)))


# ── comments of Vorbis


def _of_flac(data: bytes) -> Iterator[Edit]:
    at, is_last = 4, False
    while at + 4 <= len(data) and not is_last:
        is_last, kind = bool(data[at] & 0x80), data[at] & 0x7F
        end = min(at + 4 + int.from_bytes(data[at + 1 : at + 4]), len(data))
        if kind == 4:
            yield from _of_comments(data, at + 4, end)
        if kind == 6 and _picture_tells(data[at + 4 : end]):  # it becomes padding
            yield at, bytes([data[at] & 0x80 | 1]) + data[at + 1 : at + 4] + bytes(end - at - 4)
        at = end


def _of_comments(data: bytes, start: int, end: int) -> Iterator[Edit]:
    """The values of comments whose key names a place become spaces."""
    for found in _COMMENT.finditer(data, start, end):
        size = int.from_bytes(data[found.start() - 4 : found.start()], "little")
        stop = found.start() + size
        if found.start() - 4 < start or stop < found.end() or not PLACE_WORD.search(found[0]):
            continue
        if stop > end:
            raise MediumError("a comment of it tells a place, and cannot be cleaned")
        if data[found.end() : stop].strip():
            yield found.end(), b" " * (stop - found.end())


def _of_ogg(data: bytes) -> Iterator[Edit]:
    """Comments in pages of Ogg; a page that is changed gets its new sum."""
    at = 0
    while data[at : at + 4] == b"OggS" and at < COMMENTS:
        segments = data[at + 27 : at + 27 + data[at + 26]]
        body = at + 27 + len(segments)
        end = min(body + sum(segments), len(data))
        if changes := list(_of_comments(data, body, end)):
            page = bytearray(data[at:end])
            for place, new in changes:
                page[place - at : place - at + len(new)] = new
            page[22:26] = bytes(4)
            page[22:26] = _ogg_sum(page).to_bytes(4, "little")
            yield at, bytes(page)
        at = end


def _ogg_sum(page: bytearray) -> int:
    """The CRC of a page (RFC 3533): 32 bits, the polynomial 04c11db7, nothing reflected."""
    total = 0
    for byte in page:
        total ^= byte << 24
        for _ in range(8):
            total = (total << 1 ^ (0x04C11DB7 if total & 0x80000000 else 0)) & 0xFFFFFFFF
    return total


# ── chunks of WAV, AVI and AIFF


def _of_chunks(data: bytes, order: str) -> Iterator[Edit]:
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], order)  # type: ignore[arg-type]
        end = min(at + 8 + size, len(data))
        if name in (b"id3 ", b"ID3 ") and data[at + 8 : at + 11] == b"ID3":
            yield from _of_id3(data, at + 8, end)
        elif _chunk_tells(name, data[at + 8 : end] if name not in (b"data", b"SSND") else b""):
            yield at, b"JUNK" + data[at + 4 : at + 8] + bytes(end - at - 8)
        at = end + (size & 1)


def _chunk_tells(name: bytes, body: bytes) -> bool:
    if name == b"iXML":
        return _IXML_PLACE.search(body) is not None
    if name == b"LIST" and body[:4] == b"ncdt":  # tags of Nikon
        return True
    return name in (b"_PMX", b"APPL") and xmp_tells(body)


# ── Matroska and WebM

MOST_NAMES = 10_000
"""So many names of tags are looked at."""

_TAGS, _TAG_NAME, _VOID = b"\x12\x54\xc3\x67", b"\x45\xa3", b"\xec\x01"


def _of_matroska(data: bytes) -> Iterator[Edit]:
    """Tags that name a place become void, all of an element: its sum would be wrong else."""
    for found in few(re.finditer(re.escape(_TAGS), data), MOST_PARTS):
        at = found.start()
        body, size = _sized(data, at + 4)
        end = body + size
        if 0 < size <= len(data) - body and _names_place(data[body:end]):
            yield at, _VOID + (end - at - 9).to_bytes(7) + bytes(end - at - 9)


def _names_place(tags: bytes) -> bool:
    for found in islice(re.finditer(_TAG_NAME, tags), MOST_NAMES):
        body, size = _sized(tags, found.end())
        if PLACE_WORD.search(tags[body : body + min(size, 200)]):
            return True
    return False


def _sized(data: bytes, at: int) -> tuple[int, int]:
    """Where the content of an element begins, and its length; 0 where that is not known."""
    first = data[at] if at < len(data) else 0
    width = 9 - first.bit_length()
    if not first:
        return at, 0
    number = int.from_bytes(data[at : at + width]) & ~(1 << 7 * width)
    return at + width, 0 if number == (1 << 7 * width) - 1 else number
