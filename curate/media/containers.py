"""The metadata of JPEG, PNG and WebP, part by part: each is kept, edited, or left out.

Parts that hold pixels are copied as they are. Sources: JFIF 1.02 and XMP part 3 (Adobe), PNG 1.2
with `eXIf` (2017), the WebP container (RFC 9649).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from curate.media.tiff import Tiff, iptc_tells, without_places, xmp_tells

_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_TAIL_PLACE = re.compile(rb"Exif\0\0(?=II\*\0|MM\0\*)")
_FILM_PLACE = re.compile(
    rb"\xa9xyz|loci|location\.ISO6709|quicktime\.location"
    rb"|stsd.{12}(?:gpmd|camm|mebx|rtmd|djmd|dbgi)",
    re.DOTALL,
)
_TEXT_PLACE = re.compile(rb"gps|location|latitude|longitude|city|country", re.IGNORECASE)

EXIF = b"Exif\0\0"
XMP_KEYS = (b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0")

MOST_EXIF = 16
"""What comes after an image and has so many EXIF counts as telling a place."""

MOST_TEXT = 16 << 20
"""Bytes of a compressed text that are read; a longer one counts as telling a place."""


@dataclass(frozen=True)
class Part:
    """A part of a file: its bytes, whether it tells a place, and what it is without that."""

    data: bytes
    tells: bool = False
    without: bytes = b""


def _exif(data: bytes, base: int, closed: Callable[[bytes], bytes] = bytes) -> Part:
    """A part whose TIFF structure begins at `base`; `closed` mends what depends on the bytes."""
    tells = Tiff(data, base).tells_place()
    return Part(data, tells, closed(without_places(data, base)) if tells else data)


def jpeg(data: bytes) -> Iterator[Part]:
    """Yield the segments of a JPEG, and what comes after its end."""
    at, size = 2, len(data)
    yield Part(data[:2])
    while at < size:
        found = _MARKER.search(data, at)
        if found is None:
            break
        start, marker = found.start(), data[found.start() + 1]
        if start > at:
            yield Part(data[at:start])
        if marker == 0xD9:
            yield Part(data[start : start + 2])
            yield _tail(data[start + 2 :])
            return
        end = start + 2
        if marker not in (0x01, 0xD8):
            end += int.from_bytes(data[end : end + 2], "big")
        yield _segment(data[start:end], marker)
        at = max(end, start + 2)
    yield Part(data[at:])


def _segment(data: bytes, marker: int) -> Part:
    body = data[4:]
    if marker == 0xE1 and body.startswith(EXIF):
        return _exif(data, 10)
    if marker == 0xE1 and body.startswith(XMP_KEYS):
        return Part(data, xmp_tells(body))
    if marker == 0xED:
        return Part(data, iptc_tells(body))
    return Part(data)


def _tail(data: bytes) -> Part:
    """What follows the image: a second one, or a film, as phones write them."""
    marks = list(islice(_TAIL_PLACE.finditer(data), MOST_EXIF))
    tells = (
        len(marks) == MOST_EXIF
        or _FILM_PLACE.search(data) is not None
        or any(Tiff(data, found.end()).tells_place() for found in marks)
    )
    return Part(data, tells or xmp_tells(data))


# ── PNG


def png(data: bytes) -> Iterator[Part]:
    """Yield the chunks of a PNG, and what comes after its end."""
    at = 8
    yield Part(data[:8])
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        yield _chunk(data[at:end], data[at + 4 : at + 8])
        at, last = end, data[at + 4 : at + 8]
        if last == b"IEND":
            break
    yield _tail(data[at:])


def _chunk(data: bytes, name: bytes) -> Part:
    if name == b"eXIf":
        return _exif(data, 8, _with_crc)
    if name in (b"tEXt", b"zTXt", b"iTXt"):
        return Part(data, _text_tells(name, data[8:-4]))
    return Part(data)


def _with_crc(chunk: bytes) -> bytes:
    return chunk[:-4] + zlib.crc32(chunk[4:-4]).to_bytes(4, "big")


def _text_tells(name: bytes, body: bytes) -> bool:
    """Whether a text chunk tells a place: by its key, or in EXIF, IPTC or XMP within it."""
    key, _, rest = body.partition(b"\0")
    if _TEXT_PLACE.search(key):
        return True
    text = _inflated(name, rest)
    if text is None:
        return True
    if key.lower().startswith(b"raw profile type"):
        profile = _profile(text)
        inside = profile.removeprefix(EXIF)
        return Tiff(inside).tells_place() or iptc_tells(profile) or xmp_tells(profile)
    return xmp_tells(text)


def _inflated(name: bytes, rest: bytes) -> bytes | None:
    """The text of a chunk after its key; None if it is longer than is read."""
    packed, text = name == b"zTXt", rest[1:]
    if name == b"tEXt":
        return rest
    if name == b"iTXt":
        packed = rest[:1] == b"\1"
        text = b"\0".join(rest[2:].split(b"\0", 2)[2:])
    if not packed:
        return text
    reader = zlib.decompressobj()
    try:
        whole = reader.decompress(text, MOST_TEXT)
    except zlib.error:
        return b""
    return None if reader.unconsumed_tail else whole


def _profile(text: bytes) -> bytes:
    """A profile that ImageMagick wrote in hexadecimal digits, below its name and its length."""
    digits = re.sub(rb"\s", b"", b"".join(text.strip().split(b"\n")[2:]))
    try:
        return bytes.fromhex(digits.decode("ascii", "replace"))
    except ValueError:
        return b""


# ── WebP


def webp(data: bytes) -> Iterator[Part]:
    """Yield the chunks of a WebP after its header of 12 bytes."""
    at = 12
    while at + 8 <= len(data):
        end = at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        end += end & 1
        yield _riff_chunk(data[at:end], data[at : at + 4])
        at = end
    yield Part(data[at:])


def _riff_chunk(data: bytes, name: bytes) -> Part:
    if name == b"EXIF":
        return _exif(data, 14 if data[8:].startswith(EXIF) else 8)
    if name == b"XMP ":
        return Part(data, xmp_tells(data[8:]))
    return Part(data)


def joined_webp(parts: list[Part]) -> bytes:
    """A WebP of parts without places: its size and the flag of its XMP are those of the rest."""
    kept = [part.without if part.tells else part.data for part in parts]
    has_xmp = any(part[:4] == b"XMP " for part in kept)
    body = b"".join(
        part if has_xmp or part[:4] != b"VP8X" else part[:8] + bytes([part[8] & ~4]) + part[9:]
        for part in kept
    )
    return b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body
