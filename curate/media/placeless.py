"""The bytes of a file as they may leave: without what tells a place in its metadata."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import BinaryIO, Literal
from urllib.parse import unquote_to_bytes

from curate.media.kinds import kind_and_format
from curate.media.medium import Kind, MediumError
from curate.media.metadata import tells_place, without_places
from curate.media.opening import MOST
from curate.media.quicktime import STARTS

_BASE64 = re.compile(r";\s*base64\s*\Z", re.IGNORECASE)

_AROUND = "".join(map(chr, range(33)))
_LINE_ENDS = str.maketrans("", "", "\t\n\r")

_DATA = re.compile(r"data:(?:\s*[\w.+-]+/[\w.+*-]+\s*[;,]|[^,]*;\s*base64\s*,)", re.IGNORECASE)
_CODED = re.compile(r"[A-Za-z0-9+/]{64}")
_BEGINNING = 300
"""Characters of a text that tell whether it holds a file."""

MOST_OUTERMOST = 20_000
"""Outermost boxes or chunks of a large file that are looked at."""

_DESCRIBING = (b"moov", b"moof", b"meta", b"udta", b"uuid", b"mpvd")

END = 4 << 20
"""Of a larger sound or film the boxes of its index, or so many bytes at its ends, are looked at."""


def is_whole(kind: Kind | str, size: int | None) -> bool:
    """Whether a file is read into memory whole: places are looked for in all of it."""
    return kind == "image" or (size or 0) <= MOST


def placeless(file: BinaryIO, kind: Kind, size: int) -> bytes | None:
    """The bytes of an open file without places; None if it tells none. It is at its start then.

    Raises MediumError if a place would stay.
    """
    file.seek(0)
    if not is_whole(kind, size):
        check_large(file)
        file.seek(0)
        return None
    data = file.read()
    file.seek(0)
    cleaned = without_places(data)
    return None if cleaned is data else cleaned


def check_large(file: BinaryIO) -> None:
    """MediumError for a sound or film that tells a place, and is too large to be cleaned."""
    if tells_at_its_ends(file):
        raise MediumError(
            f"its metadata tell a place, and a file of more than {MOST >> 20} MB is not cleaned: "
            "do that before"
        )


def counts_as_place(file: BinaryIO) -> bool:
    """Whether the metadata of an open file tell a place, or cannot be looked at or cleaned."""
    size = file.seek(0, 2)
    file.seek(0)
    data = file.read() if size <= MOST else b""
    try:
        return without_places(data) is not data if data else tells_at_its_ends(file)
    except MediumError:
        return True


def tells_at_its_ends(file: BinaryIO) -> bool:
    """Whether a sound or a film tells a place, without reading what is heard and seen.

    Boxes and chunks are walked; of other files so many bytes at both ends are read. Raises
    MediumError for what is too large, or has too many parts.
    """
    start = _at(file, 0, 12)
    if start[4:8] in STARTS:
        return any(map(tells_place, _boxes_of_the_index(file)))
    if start[:4] in (b"RIFF", b"RF64", b"FORM"):
        return any(map(tells_place, _chunks_of_the_index(file, start)))
    head = _at(file, 0, END)
    if tells_place(head):
        return True
    size = file.seek(0, 2)
    at = max(END, size - END)
    return tells_place(_before_an_end(head) + _at(file, at, size - at))


def _before_an_end(head: bytes) -> bytes:
    """What stands before the end of a file, so that it is read as one of its format."""
    if head[:4] == b"OggS":
        return b"OggS" + bytes(23)  # an empty page
    return b"\xff\xfb" if head[:3] in (b"ID3", b"fLa") else head[:12]


def _boxes_of_the_index(file: BinaryIO) -> Iterator[bytes]:
    """Yield the outermost boxes of a film that are none of its pictures, each as a file."""
    place, whole = 0, file.seek(0, 2)
    for _ in range(MOST_OUTERMOST):
        head = _at(file, place, 16)
        if len(head) < 8:
            return
        size = int.from_bytes(head[:4])
        if size == 1:
            size = int.from_bytes(head[8:16])
        if size < 8:  # 0: up to the end
            size = whole - place
        if head[4:8] in _DESCRIBING or (head[4:8] == b"free" and size < END):
            yield b"\0\0\0\x08ftyp" + _some(file, place, size)
        place += size
    raise MediumError("it has too many boxes")


def _chunks_of_the_index(file: BinaryIO, start: bytes) -> Iterator[bytes]:
    """Yield the chunks of a WAV, an AVI or an AIFF that are none of its sound, each as a file."""
    order: Literal["big", "little"] = "big" if start[:4] == b"FORM" else "little"
    at, long = 12, 0
    for _ in range(MOST_OUTERMOST):
        head = _at(file, at, 16)
        if len(head) < 8:
            return
        name, size = head[:4], int.from_bytes(head[4:8], order)
        if name == b"RIFF":  # a further part of a long AVI
            at += 12
            continue
        if name == b"ds64":
            long = int.from_bytes(_at(file, at + 16, 8), "little")
        if name == b"data" and size == 0xFFFFFFFF:
            size = long or size
        is_seen = name in (b"data", b"SSND") or (name == b"LIST" and head[8:12] == b"movi")
        if not is_seen and size:
            yield start + _some(file, at, size + 8)
        at += 8 + size + (size & 1)
    raise MediumError("it has too many chunks")


def _some(file: BinaryIO, place: int, size: int) -> bytes:
    """A stretch of a file. MediumError if it is larger than may be read."""
    if size > MOST:
        raise MediumError("its metadata are too large to be looked at")
    return _at(file, place, size)


def _at(file: BinaryIO, place: int, size: int) -> bytes:
    file.seek(place)
    return file.read(size)


def placeless_data(address: str) -> str:
    """An address that holds a file itself, as `data:image/jpeg;base64,…`, without places.

    Other addresses stay, and so does one that no browser can read. White space around it and a
    fragment are no part of what it holds. MediumError if a place would stay.
    """
    data = _held(address)
    cleaned = without_places(data)
    if cleaned is data:
        return address
    head = _BASE64.sub("", _plain(address).partition(",")[0])
    return f"{head};base64,{base64.b64encode(cleaned).decode()}"


def _held(address: str) -> bytes:
    """The bytes that an address holds, as browsers read them; none for another address."""
    address = _plain(address)
    head, _, coded = address.partition(",")
    if address[:5].lower() != "data:":
        return b""
    data = unquote_to_bytes(coded)
    return _decoded(b"".join(data.split())) if _BASE64.search(head) else data


def _decoded(coded: bytes | str) -> bytes:
    """What base64 without white space holds, padded or not; nothing if it is none."""
    plain = coded.encode("ascii", "replace") if isinstance(coded, str) else coded
    plain = plain.rstrip(b"=")
    try:
        return base64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        return b""


def holds_file(text: str, *, is_named: bool = False) -> bool:
    """Whether a text is a file: an address that holds it, or a medium in base64 alone.

    Sound that begins with a frame, as MP3 may, counts where `is_named` says that data stand here:
    two bytes tell too little.
    """
    head = _plain(text[:_BEGINNING])
    if _DATA.match(head):
        return True
    data = base64.b64decode(head[:64]) if _CODED.match(head) else b""
    is_bare = data[:1] == b"\xff" and data[:3] != b"\xff\xd8\xff"
    return (is_named or not is_bare) and kind_and_format(data) is not None


def held_file(text: str) -> bytes | None:
    """The bytes of a text that is a file: an address `data:…`, or a medium in base64 alone.

    None for any other text, and no bytes for one that cannot be read.
    """
    if _is_data(text):
        return _held(text)
    return _decoded("".join(text.split())) if holds_file(text, is_named=True) else None


def placeless_text(text: str) -> str:
    """A text that is a file, as `holds_file` tells, without places; any other as it is.

    MediumError if a place would stay.
    """
    if _is_data(text):
        return placeless_data(text)
    data = held_file(text)
    if data is None:
        return text
    cleaned = without_places(data)
    return text if cleaned is data else base64.b64encode(cleaned).decode()


def _is_data(text: str) -> bool:
    return _plain(text[:_BEGINNING])[:5].lower() == "data:"


def _plain(address: str) -> str:
    """An address as browsers read it: no white space around it, no line ends, no fragment."""
    return address.strip(_AROUND).translate(_LINE_ENDS).partition("#")[0]
