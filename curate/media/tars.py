"""Files within a tar: where each lies, found once a shard, and read without unpacking."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NamedTuple

from curate.media.medium import MediumError

LONGEST_HEADER = 1 << 20
"""Bytes of names and notes of one member; what has more is no shard."""


class Member(NamedTuple):
    """A plain file of a tar: its name, the place of its first byte, and its number of bytes."""

    name: str
    start: int
    size: int


class Slice(io.RawIOBase):
    """A part of an open file as a file of its own, seekable."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file, self._start, self._size, self._at = file, start, size, 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place in the part."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """The place in the part."""
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read on into a buffer; the number of bytes that were read."""
        length = max(0, min(len(buffer), self._size - self._at))
        self._file.seek(self._start + self._at)
        data = self._file.read(length)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def members(file: BinaryIO) -> Iterator[Member]:
    """Yield the plain files of an open tar, in order. MediumError where it is damaged.

    Links, devices and sparse files are left out: none of them has bytes of its own.
    """
    try:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            for member in archive:
                archive.members.clear()  # type: ignore[attr-defined]
                if member.isreg() and not member.issparse():
                    yield Member(member.name, member.offset_data, member.size)
    except (tarfile.TarError, EOFError, OSError, ValueError, OverflowError) as error:
        raise MediumError(f"the tar is damaged: {error}") from None


def part(file: BinaryIO, member: Member) -> BinaryIO:
    """A member of an open tar as a file of its own. MediumError if the tar ends before it."""
    file.seek(0, io.SEEK_END)
    if file.tell() < member.start + member.size:
        raise MediumError("the tar ends within it")
    return io.BufferedReader(Slice(file, member.start, member.size))


def member(path: Path, name: str, file: BinaryIO) -> BinaryIO:
    """The member of a tar by its name, as an open file. MediumError if there is none."""
    about = path.stat()
    found = _index(str(path), about.st_mtime_ns, about.st_size).get(name)
    if found is None:
        raise MediumError("the tar no longer holds it")
    return part(file, found)


@lru_cache(maxsize=16)
def _index(path: str, modified: int, size: int) -> dict[str, Member]:
    """The members of a tar by name, the first of each; `modified` and `size` tell its state."""
    index: dict[str, Member] = {}
    with Path(path).open("rb") as file:
        for found in members(file):
            index.setdefault(found.name, found)
    return index
