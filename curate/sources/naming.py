"""The media of a row: what its columns name, found on disk, and referred to."""

from __future__ import annotations

import hashlib
import io
import os
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from curate.media.cells import place
from curate.media.kinds import FORMAT_OF
from curate.media.medium import MediumError
from curate.media.opening import plain
from curate.media.placeless import held_file
from curate.sources.chat_media import Place
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
        if self.folder is None:
            return reference(value)
        held = held_file(value)
        if held is not None:
            return self.referring(io.BytesIO(held), None)
        if value.startswith("file://"):
            value = unquote(urlsplit(value).path)
        return reference(value) if "://" in value else self._file(value)

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


class MediaOfChat:
    """Refers to the media of one row's conversation; columns have those without a value.

    `named` are the columns by kind, `number` is that of the row, from 1.
    """

    def __init__(
        self,
        naming: Naming,
        named: Mapping[str, str | MediaColumn],
        row: Mapping[str, Any],
        number: int,
    ) -> None:
        self._naming, self._number = naming, number
        self._beside = {
            kind: deque(_items(row, column)) for kind, column in named.items() if _has(row, column)
        }

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds that columns of the row hold: marks of these are places."""
        return frozenset(self._beside)

    def __call__(self, places: Sequence[Place]) -> list[Referred]:
        """The media at all places, in order. MediumError if one cannot be used, or has no place."""
        wanted = Counter(place.kind for place in places if place.value is None)
        for kind in sorted({*wanted, *self._beside}):
            there = len(self._beside.get(kind, ()))
            if wanted[kind] != there:
                raise MediumError(
                    f"its messages have places for {wanted[kind]} media of the kind {kind}, "
                    f"and {there} stand beside them"
                )
        return [self._referred(place) for place in places]

    def _referred(self, place: Place) -> Referred:
        if place.value is not None:
            medium = self._naming(place.value, None, self._number)
        else:
            value, cell = self._beside[place.kind].popleft()
            if isinstance(cell, MediaColumn):
                medium = self._naming.by_address(value, cell)
            else:
                medium = self._naming(value, cell, self._number)
        if medium["format"] is None and medium["sha256"] is None:  # an address, which is not read
            medium = Referred({**medium, "kind": place.kind})
        if medium["kind"] != place.kind:
            raise MediumError(f"it is of the kind {medium['kind']}, not {place.kind}")
        return Referred({**medium, "address": canonical(medium["address"])})


def _items(
    row: Mapping[str, Any], column: str | MediaColumn
) -> Iterator[tuple[Any, Cell | MediaColumn | None]]:
    """Yield the media of a column, one or a list, and where each lies in the row."""
    path = column if isinstance(column, str) else column.column
    value = look(row, path)
    for number, item in enumerate(value if isinstance(value, list) else [value]):
        if not isinstance(column, str):
            yield item, column
        elif path in row:
            yield item, (path, number if isinstance(value, list) else None)
        else:
            yield item, None


def _has(row: Mapping[str, Any], column: str | MediaColumn) -> bool:
    """Whether a row has media in a column."""
    value = look(row, column if isinstance(column, str) else column.column)
    return value is not MISSING and value is not None and value != [] and value != ""


def _cell(row: Mapping[str, Any], path: str) -> Cell | None:
    """Where the value of a path lies, if an address can name it: a column, or an item of one."""
    if path in row:
        return path, None
    column, _, item = path.partition(".")
    return (column, int(item)) if item.isascii() and item.isdigit() else None
