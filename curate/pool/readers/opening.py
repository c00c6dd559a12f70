"""What every reader stands on: what to read, open files, and lines as bytes."""

from __future__ import annotations

import gzip
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from curate.errors import DataError

Numbered = Iterator[tuple[int, Mapping[str, Any] | str]]
"""(line or row number, the row, or what is wrong with it)."""

BLOCK = 1 << 20


@dataclass(frozen=True)
class Reading:
    """What a reader is given: where to read, how far, and how.

    `start` and `end` are bytes or row groups, half-open; `first` is the number of the first row.
    """

    address: str
    label: str
    format: str
    start: int = 0
    end: int | None = None
    first: int = 1
    max_bytes: int = 32 << 20


def open_bytes(address: str) -> IO[bytes]:
    """Return a file's bytes, decompressed."""
    path = Path(address)
    return cast(IO[bytes], gzip.open(path) if path.suffix == ".gz" else path.open("rb"))


def raw_lines(given: Reading, *, tail: bool = False) -> Iterator[tuple[int, bytes]]:
    """Yield numbered lines of a part as bytes, without their newline or a byte order mark.

    `tail` also yields what stands after the last newline where that is nothing.
    """
    number = given.first - 1
    try:
        with open_bytes(given.address) as file:
            if given.start:
                file.seek(given.start)
            left = None if given.end is None else given.end - given.start
            rest = b""
            while block := file.read(BLOCK if left is None else min(BLOCK, left)):
                left = None if left is None else left - len(block)
                *lines, rest = (rest + block).split(b"\n")
                for line in lines:
                    number += 1
                    yield number, line.removeprefix(BOM_UTF8) if number == 1 else line
            if rest or tail:
                number += 1
                yield number, rest.removeprefix(BOM_UTF8) if number == 1 else rest
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(f"{given.label}, after line {number}: {error}") from None


def not_utf8(error: UnicodeDecodeError) -> str:
    """Return in words which byte is no UTF-8."""
    return f"not UTF-8 ({error.reason} at byte {error.start})"


def text_lines(given: Reading, *, tail: bool = False) -> Iterator[tuple[int, str]]:
    """Yield numbered lines of a part as text, with their newline."""
    for number, line in raw_lines(given, tail=tail):
        try:
            yield number, line.decode() + "\n"
        except UnicodeDecodeError as error:
            raise DataError(
                f"{given.label}, line {number}: {not_utf8(error)}", hint="convert the file to UTF-8"
            ) from None
