"""Items of HEIC and AVIF that tell a place: EXIF and XMP, found by the box that lists them.

An item is overwritten where it lies, in the box of data or in that of the list. Source: ISO
14496-12 (`iinf`, `iloc`), ISO 23008-12 (Exif).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from curate.media.marks import Edit
from curate.media.medium import MediumError
from curate.media.telemetry import boxes
from curate.media.tiff import Tiff, without_places, xmp_tells

MOST_ITEMS, LONGEST = 64, 16 << 20
"""Items of EXIF and XMP that are looked at, and the bytes of all of them."""

_TIFF = re.compile(rb"II\*\0|MM\0\*")

_Stretch = tuple[int, int]


def of_items(data: bytes, body: int, end: int) -> Iterator[Edit]:
    """The items of EXIF and XMP that a box `meta` lists, where they tell a place."""
    own = {name: (inner, stop) for name, _, inner, stop in boxes(data, body + 4, end)}
    if b"iinf" not in own or b"iloc" not in own:
        return
    kinds = dict(_kinds(data, *own[b"iinf"]))
    left = LONGEST
    looked = 0
    for number, parts in _places(data, *own[b"iloc"], own.get(b"idat", (0, 0))[0]):
        if number not in kinds:
            continue
        parts = [(start, min(stop, len(data))) for start, stop in parts if start < len(data)]
        left -= sum(stop - start for start, stop in parts)
        looked += 1
        if left < 0 or looked > MOST_ITEMS:
            raise MediumError("its items of metadata are too many, or too long")
        yield from _of_item(data, kinds[number], parts)


def _of_item(data: bytes, kind: bytes, parts: list[_Stretch]) -> Iterator[Edit]:
    content = b"".join(data[start:stop] for start, stop in parts)
    tells = kind == b"packed" or (kind == b"mime" and xmp_tells(content))
    if tells and content.strip(b" "):
        yield from ((start, b" " * (stop - start)) for start, stop in parts)
    found = _TIFF.search(content, 0, 4096) if kind == b"Exif" else None
    if found is None or not Tiff(content, found.start()).tells_place():
        return
    if len(parts) == 1:
        yield parts[0][0], without_places(content, found.start())
    else:
        yield from ((start, bytes(stop - start)) for start, stop in parts)


def _kinds(data: bytes, body: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the kind of each item of metadata: EXIF, `mime`, or packed."""
    first = body + (6 if data[body] == 0 else 8)
    for name, _, inner, stop in boxes(data, first, end):
        if name != b"infe" or inner >= stop or data[inner] < 2:
            continue
        wide = 4 if data[inner] > 2 else 2
        number = int.from_bytes(data[inner + 4 : inner + 4 + wide])
        at = inner + 4 + wide + 2
        kind = data[at : at + 4]
        if kind == b"Exif":
            yield number, kind
        elif kind == b"mime":
            told = data[at + 4 : min(stop, at + 1028)].split(b"\0")
            yield number, b"packed" if len(told) > 2 and told[2] else kind


class _Reader:
    """Numbers of a box, one after the other."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self.data, self.at, self.end = data, at, end

    def number(self, width: int) -> int:
        """The next number, of so many bytes."""
        self.at += width
        return int.from_bytes(self.data[self.at - width : self.at])


def _places(data: bytes, body: int, end: int, idat: int) -> Iterator[tuple[int, list[_Stretch]]]:
    """Yield the number of each item, and the stretches of the file that hold it."""
    version, reader = data[body], _Reader(data, body + 4, end)
    widths = reader.number(2)
    of_offset, of_length, of_base, of_index = (widths >> shift & 15 for shift in (12, 8, 4, 0))
    wide = 4 if version == 2 else 2
    for _ in range(reader.number(wide)):
        if reader.at >= end:
            return
        number = reader.number(wide)
        method = reader.number(2) & 15 if version else 0
        reader.number(2)
        base = reader.number(of_base) + (idat if method == 1 else 0)
        parts: list[_Stretch] = []
        for _ in range(reader.number(2)):
            if reader.at >= end:
                return
            reader.number(of_index if version else 0)
            start = base + reader.number(of_offset)
            length = reader.number(of_length)
            parts.append((start, start + length if length else len(data)))
        yield number, parts
