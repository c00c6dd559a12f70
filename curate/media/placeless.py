"""The bytes of a file as they may leave: without what tells a place in its metadata."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import unquote_to_bytes

from curate.media.medium import Kind, MediumError
from curate.media.metadata import tells_place, without_places
from curate.media.opening import MOST

_BASE64 = re.compile(r";\s*base64\s*\Z", re.IGNORECASE)

TAGGED = ("mp4", "mov", "m4a", "mp3", "flac", "ogg", "wav", "aiff", "webm", "mkv", "avi")
"""The formats of sounds and films whose metadata may tell a place."""

END = 4 << 20
"""Of a larger sound or film the boxes of its index, or so many bytes at its ends, are looked at."""


def is_whole(kind: Kind | str, format: str | None, size: int | None) -> bool:
    """Whether a file is read into memory whole: places are looked for in all of it."""
    return kind == "image" or (format in TAGGED and (size or 0) <= MOST)


def placeless(file: BinaryIO, kind: Kind, format: str, size: int) -> bytes | None:
    """The bytes of an open file without places; None if it tells none. It is at its start then.

    Raises MediumError if a place would stay.
    """
    file.seek(0)
    if not is_whole(kind, format, size):
        check_large(file, format)
        file.seek(0)
        return None
    data = file.read()
    file.seek(0)
    cleaned = without_places(data)
    return None if cleaned is data else cleaned


def check_large(file: BinaryIO, format: str | None) -> None:
    """MediumError for a sound or film that tells a place, and is too large to be cleaned."""
    if format in TAGGED and tells_at_its_ends(file):
        raise MediumError(
            f"its metadata tell a place, and a file of more than {MOST >> 20} MB is not cleaned: "
            "do that before"
        )


def tells_at_its_ends(file: BinaryIO) -> bool:
    """Whether a sound or a film tells a place, without reading what is heard and seen."""
    file.seek(0)
    if file.read(8)[4:] in (b"ftyp", b"moov", b"wide", b"mdat", b"free"):
        return any(map(tells_place, _boxes_of_the_index(file)))
    file.seek(0)
    head = file.read(END)
    if tells_place(head):
        return True
    size = file.seek(0, 2)
    file.seek(max(END, size - END))
    return tells_place(head[:12] + file.read())


def _boxes_of_the_index(file: BinaryIO) -> Iterator[bytes]:
    """Yield the outermost boxes of a film that are none of its pictures."""
    place = 0
    while len(head := _at(file, place, 16)) >= 8:
        size = int.from_bytes(head[:4])
        if size == 1:
            size = int.from_bytes(head[8:16])
        if size < 8:  # 0: up to the end
            return
        if head[4:8] != b"mdat" and size <= MOST:
            yield _at(file, place, size)
        place += size


def _at(file: BinaryIO, place: int, size: int) -> bytes:
    file.seek(place)
    return file.read(size)


def placeless_data(address: str) -> str:
    """An address that holds a file itself, as `data:image/jpeg;base64,…`, without places.

    Other addresses stay, and so does one that no browser can read. MediumError if a place would
    stay.
    """
    data = _held(address)
    cleaned = without_places(data)
    if cleaned is data:
        return address
    head = _BASE64.sub("", address.partition(",")[0])
    return f"{head};base64,{base64.b64encode(cleaned).decode()}"


def _held(address: str) -> bytes:
    """The bytes that an address holds, as browsers read them; none for another address."""
    head, _, coded = address.partition(",")
    if address[:5].lower() != "data:":
        return b""
    data = unquote_to_bytes(coded)
    if not _BASE64.search(head):
        return data
    plain = b"".join(data.split()).rstrip(b"=")
    try:
        return base64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        return b""
