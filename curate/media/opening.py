"""Where the bytes of a medium lie, and how they are opened.

An address is a path, relative to a folder (the workspace) or absolute; `shard.tar!/member.jpg`, a
file in a tar; or `rows.parquet!/COLUMN/ROW`, a value of a Parquet or Arrow file, rows from 0, or
`…/COLUMN/ROW/ITEM` where the value is a list.
Other addresses (https, data, s3) are for people alone: nothing is fetched.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from curate.media.medium import Medium, MediumError

_INSIDE = re.compile(r"(.+?\.\w+)!/(.+)", re.DOTALL)
"""A file, and what lies in it."""

MOST = 512 << 20
"""A medium that is read whole has no more bytes."""


def located(address: str, folder: Path) -> tuple[Path, str]:
    """The file of an address, and what lies in it, or nothing. MediumError if it is elsewhere."""
    if "://" in address or address.startswith("data:"):
        raise MediumError("it is on another machine, and nothing is fetched")
    if not address or "\0" in address:
        raise MediumError("it has no address")
    match = _INSIDE.fullmatch(address)
    return (folder / match[1], match[2]) if match else (folder / address, "")


@contextmanager
def opened(address: str, folder: Path) -> Iterator[BinaryIO]:
    """Open a medium as a seekable binary file. MediumError if it is missing or no plain file."""
    path, within = located(address, folder)
    with plain(path) as file:
        if not within:
            yield file
        elif is_table(file):
            from curate.media.cells import cell

            yield io.BytesIO(cell(path, within))
        else:
            from curate.media.tars import member

            yield member(path, within, file)


def is_table(file: BinaryIO) -> bool:
    """Whether an open file begins as Parquet or Arrow does; the file is at its start then."""
    file.seek(0)
    head = file.read(6)
    file.seek(0)
    return head.startswith((b"PAR1", b"ARROW1", b"\xff\xff\xff\xff"))


@contextmanager
def plain(path: Path) -> Iterator[BinaryIO]:
    """Open a plain file. MediumError if it is missing, or a pipe, a device or a folder."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        raise MediumError("the file is not there") from None
    except OSError as error:
        raise MediumError(f"the file cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise MediumError("not a plain file: a folder, a pipe, a socket or a device")
    with os.fdopen(handle, "rb") as file:
        yield file


def read(address: str, folder: Path, *, most: int = MOST) -> bytes:
    """The bytes of a medium. MediumError if it cannot be opened, or has more than `most`."""
    with opened(address, folder) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise MediumError(f"it has more than {most} bytes")
    return data


def digest(file: BinaryIO) -> tuple[str, int]:
    """The sha256 of an open file, in hex, and its number of bytes; it is at its start then."""
    file.seek(0)
    sha256 = hashlib.sha256()
    size = 0
    while block := file.read(1 << 20):
        sha256.update(block)
        size += len(block)
    file.seek(0)
    return sha256.hexdigest(), size


def check(medium: Medium, sha256: str, size: int) -> None:
    """MediumError if bytes are not those of the medium."""
    if medium.bytes is not None and medium.bytes != size:
        raise MediumError(f"the file has changed: it had {medium.bytes} bytes, and has {size}")
    if medium.sha256 is not None and medium.sha256 != sha256:
        raise MediumError("the file has changed: its bytes have another sha256")


def checked(medium: Medium, folder: Path) -> None:
    """Compare a medium with its bytes on disk. MediumError if it is missing or has changed."""
    with opened(medium.address, folder) as file:
        check(medium, *digest(file))


def read_checked(medium: Medium, folder: Path, *, most: int = MOST) -> bytes:
    """The bytes of a medium, read once and compared. MediumError as of `read` and `checked`."""
    data = read(medium.address, folder, most=most)
    check(medium, hashlib.sha256(data).hexdigest(), len(data))
    return data
