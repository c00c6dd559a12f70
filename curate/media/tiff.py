"""Places in the directories of TIFF, which also hold the EXIF of JPEG, PNG and WebP.

Values are erased where they stand, so every other byte keeps its place. Source: TIFF 6.0 (Adobe
1992), Exif 2.32 (CIPA DC-008-2019), BigTIFF (2007).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

EXIF_IFD, GPS_IFD, SUB_IFDS, MAKER_NOTE = 0x8769, 0x8825, 330, 0x927C
XMP, IPTC, PHOTOSHOP = 700, 33723, 34377

MOST_ENTRIES = 16_384
"""Entries of all directories together that are looked at."""

MOST_DIRECTORIES = 64
"""More directories than this are not followed: a chain may be endless."""

_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_BYTES |= {16: 8, 17: 8, 18: 8}

_XMP_PLACE = re.compile(
    rb"GPS(?:Latitude|Longitude|Altitude|Dest|Position|Coordinates|MapDatum|AreaInformation)"
    rb"|photoshop:(?:City|State|Country)|Iptc4xmpCore:(?:Location|CountryCode)"
    rb"|LocationCreated|LocationShown|geo:(?:lat|long)",
    re.IGNORECASE,
)
_IPTC_PLACE = re.compile(rb"\x1c\x02[\x1a\x1b\x5a\x5c\x5f\x64\x65]")


def xmp_tells(data: bytes) -> bool:
    """Whether an XMP packet, in any of its encodings, names a place."""
    return _XMP_PLACE.search(data.replace(b"\0", b"")) is not None


def iptc_tells(data: bytes) -> bool:
    """Whether IPTC records hold a location, city, province or country."""
    return _IPTC_PLACE.search(data) is not None


@dataclass(frozen=True)
class Entry:
    """An entry of a directory: where it stands, its tag, and the range of its value."""

    at: int
    tag: int
    start: int
    end: int


@dataclass(frozen=True)
class Directory:
    """A directory: where it stands, its entries, and whether it is that of a GPS receiver."""

    at: int
    entries: tuple[Entry, ...]
    is_gps: bool = False


class Tiff:
    """The directories of a TIFF structure that begins at `base` of some bytes."""

    def __init__(self, data: bytes | bytearray, base: int = 0) -> None:
        self.data, self.base = data, base
        mark, magic = bytes(data[base : base + 2]), bytes(data[base + 2 : base + 4])
        self.order: str = "little" if mark == b"II" else "big"
        self.is_big = self._number(magic) == 43
        self.is_valid = mark in (b"II", b"MM") and self._number(magic) in (42, 43)

    def _number(self, part: bytes | bytearray) -> int:
        return int.from_bytes(part, self.order)  # type: ignore[arg-type]

    def _read(self, at: int, size: int) -> int:
        return self._number(self.data[at : at + size])

    @property
    def sizes(self) -> tuple[int, int, int]:
        """The bytes of the number of entries, of an entry, and of an offset."""
        return (8, 20, 8) if self.is_big else (2, 12, 4)

    def directories(self) -> list[Directory]:
        """The directories, each once: those of the chain, and those that entries point to."""
        if not self.is_valid:
            return []
        left = MOST_ENTRIES
        offset = self._read(self.base + (8 if self.is_big else 4), self.sizes[2])
        todo, seen = [(self.base + offset, False)], set[int]()
        all_of_them: list[Directory] = []
        while todo and len(all_of_them) < MOST_DIRECTORIES and left > 0:
            at, is_gps = todo.pop()
            if at in seen or not self.base < at < len(self.data):
                continue
            seen.add(at)
            directory = Directory(at, tuple(self._entries(at)), is_gps)
            left -= len(directory.entries)
            all_of_them.append(directory)
            todo += self._next(directory)
        return all_of_them

    def _entries(self, at: int) -> Iterator[Entry]:
        count_size, entry_size, offset_size = self.sizes
        count = min(self._read(at, count_size), 4096)
        for place in range(count):
            own = at + count_size + place * entry_size
            if own + entry_size > len(self.data):
                return
            tag, kind = self._read(own, 2), self._read(own + 2, 2)
            size = _BYTES.get(kind, 1) * self._read(own + 4, offset_size)
            inside = own + 4 + offset_size
            start = inside if size <= offset_size else self.base + self._read(inside, offset_size)
            yield Entry(own, tag, start, min(start + size, len(self.data)))

    def _next(self, directory: Directory) -> Iterator[tuple[int, bool]]:
        """Yield where further directories stand, and whether they are those of GPS."""
        count_size, entry_size, offset_size = self.sizes
        after = directory.at + count_size + len(directory.entries) * entry_size
        if (offset := self._read(after, offset_size)) and not directory.is_gps:
            yield self.base + offset, False
        for entry in directory.entries:
            if entry.tag in (EXIF_IFD, GPS_IFD, SUB_IFDS):
                for at in range(entry.start, min(entry.end, entry.start + 512), offset_size):
                    yield self.base + self._read(at, offset_size), entry.tag == GPS_IFD

    def tells(self, entry: Entry, *, is_gps: bool) -> bool:
        """Whether the value of an entry tells a place."""
        value = bytes(self.data[entry.start : entry.end])
        if is_gps:
            return entry.tag != 0 and any(value)  # tag 0 is the version
        if entry.tag == XMP:
            return xmp_tells(value)
        return entry.tag in (IPTC, PHOTOSHOP) and iptc_tells(value)

    def tells_place(self) -> bool:
        """Whether an entry of any directory tells a place."""
        return any(
            self.tells(entry, is_gps=directory.is_gps)
            for directory in self.directories()
            for entry in directory.entries
        )


def without_places(data: bytes, base: int = 0) -> bytes:
    """The bytes with all that tells a place erased; a maker's note goes too, since it may.

    The length stays, and so does every other value.
    """
    edited = bytearray(data)
    tiff = Tiff(edited, base)
    directories = tiff.directories()
    for directory in directories:
        gone = [
            entry
            for entry in directory.entries
            if directory.is_gps
            or entry.tag in (GPS_IFD, MAKER_NOTE)
            or tiff.tells(entry, is_gps=False)
        ]
        for entry in gone:
            edited[entry.start : entry.end] = bytes(max(0, entry.end - entry.start))
        _remove(tiff, directory, {entry.at for entry in gone})
    return bytes(edited)


def _remove(tiff: Tiff, directory: Directory, gone: set[int]) -> None:
    """Close the gaps of entries that are gone; the directory keeps its place and its length."""
    count_size, entry_size, offset_size = tiff.sizes
    data, first = tiff.data, directory.at + count_size
    assert isinstance(data, bytearray)
    end = first + len(directory.entries) * entry_size
    kept = [entry.at for entry in directory.entries if entry.at not in gone]
    whole = b"".join(bytes(data[at : at + entry_size]) for at in kept)
    whole += bytes(data[end : end + offset_size])
    data[first : end + offset_size] = whole.ljust(end + offset_size - first, b"\0")
    data[directory.at : first] = len(kept).to_bytes(count_size, tiff.order)  # type: ignore[arg-type]
