"""ZIP archives as the files of an office are: read within limits."""

from __future__ import annotations

import io
import zlib
from lzma import LZMAError
from zipfile import BadZipFile, ZipFile

BROKEN = (NotImplementedError, RuntimeError, EOFError, zlib.error, LZMAError)
"""What is raised, besides BadZipFile, for an archive that cannot be read."""


def check_size(data: bytes, limit: int) -> None:
    """Raise ValueError for an archive that unpacks to more bytes; BadZipFile if it is none."""
    with ZipFile(io.BytesIO(data)) as archive:
        if sum(file.file_size for file in archive.infolist()) > limit:
            raise ValueError(f"unpacks to more than max_bytes ({limit})")


def member(archive: ZipFile, name: str, limit: int) -> bytes:
    """The bytes of a file of an archive, however large its header says it is.

    KeyError if it is not there; ValueError if it is longer than the limit.
    """
    try:
        with archive.open(name) as file:
            data = file.read(limit + 1)
    except BROKEN as error:
        raise BadZipFile(str(error)) from None
    if len(data) > limit:
        raise ValueError(f"unpacks to more than max_bytes ({limit})")
    return data
