"""Places in the tags of sounds and films: what is overwritten, so that every length stays.

ID3 (MP3, AAC, FLAC, WAV, AIFF), APE, chunks of RIFF and AIFF (iXML, XMP, those of Nikon), tags and
attachments of Matroska. Comments of FLAC and Ogg stand in `vorbis`. Sources: id3.org (2.2 to 2.4),
APEv2, RFC 9559, EBU iXML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from curate.media import subtitles
from curate.media.marks import MOST_PARTS, PLACE_WORD, Edit, few, picture_tells
from curate.media.medium import MediumError
from curate.media.tiff import xmp_tells
from curate.media.vorbis import of_flac, of_ogg

_IXML_PLACE = re.compile(rb"<LOCATION_(?:NAME|GPS|ALTITUDE)>\s*[^<\s]", re.IGNORECASE)
_ID3 = re.compile(rb"TXXX|TXX|WXXX|WXX|GEOB|GEO|PRIV")


def reads(data: bytes) -> bool:
    """Whether a file has tags that are looked at."""
    return data[:4] in (b"fLaC", b"OggS", b"RIFF", b"RF64", b"FORM", b"\x1aE\xdf\xa3") or (
        data[:3] == b"ID3" or _is_bare(data)
    )


def _is_bare(data: bytes) -> bool:
    """Whether a file begins with a frame of MP3 or AAC: its tags stand at its end."""
    return len(data) > 1 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0


def edits(data: bytes) -> Iterator[Edit]:
    """Yield what is overwritten in a file so that its tags tell no place.

    Raises MediumError for a place that cannot be overwritten.
    """
    if data[:3] == b"ID3" or _is_bare(data):
        yield from _of_tagged(data)
    elif data[:4] == b"fLaC":
        yield from of_flac(data, 0)
    elif data[:4] == b"OggS":
        yield from of_ogg(data)
    elif data[:4] == b"\x1aE\xdf\xa3":
        yield from _of_matroska(data)
        yield from subtitles.of_matroska(data)
    elif reads(data):
        yield from _of_chunks(data, "big" if data[:4] == b"FORM" else "little")


# ── ID3 and APE


def _of_tagged(data: bytes) -> Iterator[Edit]:
    """ID3 at the start, what it stands before if that is FLAC, and tags of APE anywhere."""
    at = 0
    for _ in range(MOST_PARTS):
        if data[at : at + 3] != b"ID3":
            break
        yield from _of_id3(data, at, len(data))
        at += 10 + _syncsafe(data[at + 6 : at + 10]) + (10 if data[at + 5] & 0x10 else 0)
    if data[at : at + 3] == b"ID3":
        raise MediumError("it has too many parts of metadata")
    if data[at : at + 4] == b"fLaC":
        yield from of_flac(data, at)
    for found in few(re.finditer(b"APETAGEX", data), MOST_PARTS):
        yield from _of_ape(data, found.start())


def _of_ape(data: bytes, at: int) -> Iterator[Edit]:
    """The values of a tag of APE (version 2) whose key names a place, and such pictures."""
    size, count, flags = (
        int.from_bytes(data[at + skip : at + skip + 4], "little") for skip in (12, 16, 20)
    )
    is_head = bool(flags & 1 << 29)
    place = at + 32 if is_head else max(0, at + 32 - size)
    end = min(at + size if is_head else at, len(data))
    while count and place + 8 < end:
        length = int.from_bytes(data[place : place + 4], "little")
        start = data.find(b"\0", place + 8, place + 8 + 256) + 1
        stop = start + length
        if not start or stop > end:
            if PLACE_WORD.search(data[place:end]):
                raise MediumError("a tag of it tells a place, and cannot be cleaned")
            return
        tells = PLACE_WORD.search(data[place + 8 : start]) or picture_tells(data[start:stop])
        if tells and data[start:stop].strip():
            yield start, b" " * length
        place, count = stop, count - 1


def _of_id3(data: bytes, start: int, end: int) -> Iterator[Edit]:
    """A tag of ID3: frames that tell a place go, and as many zeros stand at its end."""
    size = min(_syncsafe(data[start + 6 : start + 10]), end - start - 10)
    body, version, flags = data[start + 10 : start + 10 + size], data[start + 3], data[start + 5]
    if flags & 0xC0 or version not in (2, 3, 4):  # frames are not where they seem to be
        if PLACE_WORD.search(body.replace(b"\0", b"")):
            yield start + 10, bytes(size)
        return
    kept, told = [], False
    for name, frame in _frames(body, version):
        if _frame_tells(name, frame):
            told = True
        else:
            kept.append(frame)
    if told:
        yield start + 10, b"".join(kept).ljust(size, b"\0")


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
        return picture_tells(frame)
    content = frame[6 if len(name) == 3 else 10 :].replace(b"\0", b"")
    if not _ID3.fullmatch(name):
        return False
    return PLACE_WORD.search(content[:200]) is not None or xmp_tells(content)


# ── chunks of WAV, AVI and AIFF


def _of_chunks(data: bytes, order: str) -> Iterator[Edit]:
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], order)  # type: ignore[arg-type]
        if name == b"RIFF":  # a further part of a long AVI
            at += 12
            continue
        if name == b"data" and size == 0xFFFFFFFF and data[12:16] == b"ds64":
            size = int.from_bytes(data[28:36], "little")
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

_TAGS, _TAG, _TAG_NAME, _VOID = b"\x12\x54\xc3\x67", b"\x73\x73", b"\x45\xa3", b"\xec\x01"


def _of_matroska(data: bytes) -> Iterator[Edit]:
    """Tags that name a place become void, all of an element: its sum would be wrong else.

    So do attachments of which one, such as a cover, tells a place.
    """
    for mark, first, tells in _LISTS:
        for found in few(re.finditer(re.escape(mark), data), MOST_PARTS):
            at = found.start()
            body, size = _sized(data, at + 4)
            if not data.startswith((first, b"\xec", b"\xbf"), body):
                continue  # its name alone, as an index of elements has it
            end = min(body + size, len(data)) if size else _end_of_tags(data, body)
            if end - at >= 9 and tells(data[body:end]):
                yield at, _VOID + (end - at - 9).to_bytes(7) + bytes(end - at - 9)


def _end_of_tags(data: bytes, at: int) -> int:
    """Where tags of unknown size end: behind the last of them whose size is known."""
    while data[at : at + 2] == _TAG or data[at : at + 1] in (b"\xec", b"\xbf"):
        body, size = _sized(data, at + (2 if data[at : at + 2] == _TAG else 1))
        if not size:
            if _names_place(data[body:]):
                raise MediumError("a tag of it tells a place, and cannot be cleaned")
            return at
        at = min(body + size, len(data))
    return at


def _names_place(tags: bytes) -> bool:
    for found in islice(re.finditer(_TAG_NAME, tags), MOST_NAMES):
        body, size = _sized(tags, found.end())
        if PLACE_WORD.search(tags[body : body + min(size, 200)]):
            return True
    return False


_LISTS = (
    (_TAGS, _TAG, _names_place),
    (b"\x19\x41\xa4\x69", b"\x61\xa7", picture_tells),  # attachments
)
"""What is looked at: the name of an element, that of its parts, and whether one tells a place."""


def _sized(data: bytes, at: int) -> tuple[int, int]:
    """Where the content of an element begins, and its length; 0 where that is not known."""
    size, body = subtitles.numbered(data, at)
    return body, size or 0
