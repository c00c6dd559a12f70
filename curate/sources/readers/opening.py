"""The basis of all readers: what to read, local files and object stores, and lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.errors import DataError
from curate.sources.readers.decoding import Decoder
from curate.sources.readers.xz import XzFile

if TYPE_CHECKING:
    import pyarrow.fs as pafs

BLOCK = 1 << 20
PIECE = 512
COMPRESSED = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".xz": "xz"}
_OPTIONS = re.compile(r"\?(?=[\w.]+=)")


@dataclass(frozen=True)
class Skip:
    """The reason why something is no document; it is counted, and never an error."""

    reason: str


RowResult = Mapping[str, Any] | str | Skip
"""The row as column → value, what is wrong with it, or why it is no document."""

Numbered = Iterator[tuple[int, RowResult]]
"""Pairs of a line or row number and its result."""


@dataclass(frozen=True)
class Reading:
    """The input of a reader: where to read, how far, and how.

    `start` and `end` are bytes, row groups or batches, half-open; `first` is the number of the
    first row. `max_bytes` limits a row. `query` is the statement for a database, or what to load
    from a hub.
    """

    address: str
    label: str
    format: str
    start: int = 0
    end: int | None = None
    first: int = 1
    max_bytes: int = 32 << 20
    query: Any = None
    decoder: Decoder = field(default_factory=Decoder)

    @property
    def name(self) -> str:
        """The file's name, without its folder."""
        return without_options(self.address).rsplit("/", 1)[-1]


def split_suffix(address: str) -> tuple[str, str, str]:
    """Split a file's name in three: stem, suffix in lower case, and that of a compression."""
    name = without_options(address).rsplit("/", 1)[-1]
    packed = _suffix(name).lower()
    packed = packed if packed in COMPRESSED else ""
    name = name[: len(name) - len(packed)]
    suffix = _suffix(name)
    return name[: len(name) - len(suffix)], suffix.lower(), packed


def _suffix(name: str) -> str:
    at = name.rfind(".")
    return name[at:] if 0 < at < len(name) - 1 else ""


# ── files, local or in an object store


def remote(address: str) -> bool:
    """Whether an address names an object store, not a local file."""
    return "://" in address


def without_options(address: str) -> str:
    """An address without its options (from the `?` on), as names and errors use it."""
    return _OPTIONS.split(address, maxsplit=1)[0] if remote(address) else address


@lru_cache(maxsize=64)
def _store(root: str) -> tuple[pafs.FileSystem, str]:
    import pyarrow.fs as pafs

    if not root:
        return pafs.LocalFileSystem(), ""
    store, base = pafs.FileSystem.from_uri(root)
    return store, base


def filesystem(address: str) -> tuple[pafs.FileSystem, str]:
    """The pyarrow filesystem of a path or address, and the path within it. DataError if none."""
    import pyarrow as pa

    if not remote(address):
        return _store("")[0], address
    plain = without_options(address)
    options = address[len(plain) + 1 :]
    scheme, _, rest = plain.partition("://")
    host, _, path = rest.partition("/")
    root = f"{scheme}://{host}" + ("" if host else "/") + (f"?{options}" if options else "")
    try:
        store, base = _store(root)
    except (pa.ArrowException, ValueError, ImportError, OSError) as error:
        raise DataError(f"{plain}: {error}", hint="see `pyarrow.fs` for the addresses") from None
    return store, f"{base.rstrip('/')}/{path}" if path else base


@contextmanager
def opened(reading: Reading, *, seekable: bool = False) -> Iterator[Any]:
    """Open a file as bytes, decompressed unless `seekable`. DataError if that or a read fails."""
    import pyarrow as pa

    compression = COMPRESSED.get(split_suffix(reading.address)[2])
    if not (compression or seekable or remote(reading.address)):  # faster for many tiny files
        try:
            with Path(reading.address).open("rb") as plain:
                yield plain
        except OSError as error:
            raise DataError(f"{reading.label}: {error.strerror or error}") from None
        return
    store, path = filesystem(reading.address)
    try:
        if seekable:
            with store.open_input_file(path) as file:
                yield file
        elif compression == "xz":
            with store.open_input_stream(path, compression=None) as file:
                yield XzFile(file)
        else:
            with store.open_input_stream(path, compression=compression) as file:
                yield file
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{reading.label}: {error}") from None


def _blocks(reading: Reading) -> Iterator[bytes]:
    """Yield a part's bytes in blocks, without a byte order mark; UTF-16 and UTF-32 become UTF-8."""
    with opened(reading, seekable=reading.end is not None) as file:
        if reading.start:
            file.seek(reading.start)
        packed = split_suffix(reading.address)[2]
        blocks = (
            _packed(file) if packed else _plain(file, reading.end and reading.end - reading.start)
        )
        first = True
        for block in blocks:
            yield reading.decoder.start(block) if first else reading.decoder.narrow(block)
            first = False


def _plain(file: Any, remaining: int | None) -> Iterator[bytes]:
    while block := file.read(BLOCK if remaining is None else min(BLOCK, remaining)):
        remaining = None if remaining is None else remaining - len(block)
        yield block


def _packed(file: Any) -> Iterator[bytes]:
    """Yield a decompressed file in blocks; if it is cut short, everything up to the cut.

    At the cut a read fails as a whole, so every read asks for little.
    """
    pieces: list[bytes] = []
    try:
        while piece := file.read(PIECE):
            pieces.append(piece)
            if len(pieces) * PIECE >= BLOCK:
                yield b"".join(pieces)
                pieces = []
    except OSError:
        yield b"".join(pieces)
        raise
    yield b"".join(pieces)


def raw_lines(reading: Reading) -> Iterator[tuple[int, bytes | str]]:
    """Yield the numbered lines of a part as bytes without newline, or what is wrong with a line.

    A line longer than `max_bytes` is never held in memory.
    """
    number = reading.first - 1
    pieces: list[bytes] = []
    length = 0
    try:
        for block in _blocks(reading):
            head, *lines = block.split(b"\n")
            if length <= reading.max_bytes:
                pieces.append(head)
            length += len(head)
            if not lines:
                continue
            number += 1
            yield number, b"".join(pieces) if length <= reading.max_bytes else _too_long(reading)
            last = lines.pop()
            for line in lines:
                number += 1
                yield number, line if len(line) <= reading.max_bytes else _too_long(reading)
            pieces, length = [last], len(last)
    except DataError as error:
        cause = error.message.removeprefix(f"{reading.label}: ")
        raise DataError(f"{reading.label}, after line {number}: {cause}") from None
    if length:
        number += 1
        yield number, b"".join(pieces) if length <= reading.max_bytes else _too_long(reading)


def _too_long(reading: Reading) -> str:
    return f"longer than max_bytes ({reading.max_bytes})"


def text_lines(reading: Reading) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines of a part as text with a newline. DataError if one is no text."""
    for number, line in raw_lines(reading):
        try:
            if isinstance(line, str):
                raise ValueError(line)
            yield number, reading.decoder.decode(line) + "\n"
        except ValueError as error:
            raise DataError(f"{reading.label}, line {number}: {error}") from None


def whole_bytes(reading: Reading) -> bytes | str:
    """A file's bytes, or what is wrong with it; a file over `max_bytes` is not read to its end."""
    with opened(reading) as file:
        data: bytes = file.read(reading.max_bytes + 1)
    return data if len(data) <= reading.max_bytes else _too_long(reading)


def whole_text(reading: Reading) -> str:
    """A file as one text. ValueError if it is too long or no text."""
    data = whole_bytes(reading)
    if isinstance(data, str):
        raise ValueError(data)
    return reading.decoder.whole(data)
