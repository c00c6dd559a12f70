"""The media of a row: what its columns name, found on disk, and referred to."""

from __future__ import annotations

import hashlib
import io
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from curate.media.cells import place
from curate.media.kinds import FORMAT_OF
from curate.media.medium import MediumError
from curate.media.opening import plain
from curate.sources.links import leaves
from curate.sources.media_spec import MediaColumn
from curate.sources.paths import MISSING, look, no_column
from curate.sources.readers.opening import Reading, remote, split_suffix
from curate.sources.readers.referring import Referred, recorded, reference
from curate.text import canonical

TABLES_OF_BYTES = ("parquet", "arrow")
"""The formats whose rows hold bytes that an address can name."""

Cell = tuple[str, int | None]
"""Where a value stands in its row: its column, and its item in a list, from 0."""


class Naming:
    """Refers to the media that the rows of one file name, which is `reading`.

    MediumError, which is a ValueError, says why a medium cannot be used.
    """

    def __init__(self, reading: Reading) -> None:
        self.label, self.format, self.referring = reading.label, reading.format, reading.referring
        is_beside = not remote(reading.address) and reading.format not in ("sql", "hub")
        self.folder = Path(reading.address).parent if is_beside else None

    def __call__(self, value: Any, cell: Cell | None, number: int) -> Referred:
        """Refer to the medium that a value names.

        `cell` is where it lies in its row, and `number` that of the row, from 1.
        """
        if isinstance(value, Referred):
            return value
        if isinstance(value, Mapping) and "sha256" in value:
            try:
                return recorded(dict(value))
            except ValueError as error:
                raise MediumError(f"column {_name(cell)} {error}") from None
        data = value.get("bytes") if isinstance(value, Mapping) else value
        if isinstance(data, bytes):
            return self.referring(io.BytesIO(data), self._place(cell, number))
        if isinstance(value, Mapping):
            value = value.get("path")
        if not isinstance(value, str) or not value:
            what = type(value).__name__
            raise MediumError(f"column {_name(cell)} holds {what}, not where a medium lies")
        if "://" in value or self.folder is None:
            return reference(value)
        return self._file(value)

    def by_address(self, address: Any, column: MediaColumn) -> Referred:
        """Refer to the file of an address; it may have a suffix that the address has not."""
        if not isinstance(address, str) or not address:
            raise MediumError(f"column {column.column} holds no address")
        name = f"{column.folder}/{_called(address, column.named)}".removeprefix("./")
        folder = self._within()
        names = (name + suffix for suffix in ("", *FORMAT_OF))
        return self._file(next((own for own in names if (folder / own).is_file()), name))

    def _place(self, cell: Cell | None, number: int) -> str | None:
        """The address of bytes in a table; None where no address names them."""
        if cell is None or self.format not in TABLES_OF_BYTES:
            return None
        return f"{self.label}!/{place(cell[0], number - 1, cell[1])}"

    def _within(self) -> Path:
        if self.folder is None:
            raise MediumError("only a table on disk can have its files beside it")
        return self.folder

    def _file(self, name: str) -> Referred:
        """A file by its path relative to the table. A path that leaves the folder is refused."""
        folder = self._within()
        path = os.path.normpath(folder / name)
        if leaves(path, str(folder)):
            raise MediumError("the file is outside the table's folder")
        if not os.path.lexists(path) and len(os.fsencode(Path(path).name)) < 256:
            raise MediumError(f"the file {name} is not there")
        with plain(Path(path)) as file:
            address = os.path.normpath(Path(self.label).parent / name)
            return self.referring(file, address, split_suffix(path)[1])


def _name(cell: Cell | None) -> str:
    return "of media" if cell is None else cell[0]


def _called(address: str, named: str) -> str:
    """The name of an address's file. MediumError if the address ends in none."""
    if named != "basename":
        return hashlib.new(named, address.encode(), usedforsecurity=False).hexdigest()
    try:
        name = unquote(urlsplit(address).path).rpartition("/")[2]
    except ValueError:
        name = ""
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise MediumError("its address ends in no name of a file")
    return name


class MediaOfRows:
    """The media of rows: those in the columns that are `named`, or else all that a reader found."""

    def __init__(self, naming: Naming, named: Mapping[str, str | MediaColumn]) -> None:
        self.naming, self.named = naming, named
        self.columns = tuple(column for column in named.values() if isinstance(column, str))

    def __call__(self, row: Mapping[str, Any], number: int) -> list[dict[str, Any]]:
        """The media of a row as structs of the pool. MediumError if one cannot be used."""
        if self.named:
            found = self._in_columns(row, number)
        else:
            found = self._by_kind(value for value in row.values() if isinstance(value, Referred))
        return [
            {"field": field, **medium, "address": canonical(medium["address"])}
            for field, medium in found
        ]

    def _in_columns(self, row: Mapping[str, Any], number: int) -> Iterator[tuple[str, Referred]]:
        for field, column in self.named.items():
            path = column if isinstance(column, str) else column.column
            value = look(row, path)
            if value is MISSING or value is None:
                raise no_column(path, row)
            if isinstance(column, str):
                yield field, self.naming(value, _cell(row, path), number)
            else:
                yield field, self.naming.by_address(value, column)

    @staticmethod
    def _by_kind(media: Iterator[Referred]) -> Iterator[tuple[str, Referred]]:
        """Yield media under the names of their kinds: image, image_2 and so on."""
        counts = Counter[str]()
        for medium in media:
            kind = medium["kind"]
            counts[kind] += 1
            yield kind if counts[kind] == 1 else f"{kind}_{counts[kind]}", medium


def _cell(row: Mapping[str, Any], path: str) -> Cell | None:
    """Where the value of a path lies, if an address can name it: a column, or an item of one."""
    if path in row:
        return path, None
    column, _, item = path.partition(".")
    return (column, int(item)) if item.isascii() and item.isdigit() else None
