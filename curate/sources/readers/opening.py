"""The basis of all readers: what to read, local files and object stores, and lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.errors import DataError
from curate.sources.readers.decoding import Decoder
from curate.sources.readers.evidence import Evidence, Foreign
from curate.sources.readers.referring import REFERRING, Referring
from curate.sources.readers.unpacking import PACKINGS, Lost, packing_of, unpacked

if TYPE_CHECKING:
    import pyarrow.fs as pafs

BLOCK = 1 << 20
WEB = ("http", "https", "ftp")
"""Schemes of addresses that are no store: nothing lists their folders, and a file may differ at
each request."""

_OPTIONS = re.compile(r"\?(?=[\w.]+=)")


POINTER = b"version https://git-lfs.github.com/spec/v1\n"
"""How a file begins that Git LFS has left in the place of another one."""

NOT_FETCHED = "a Git LFS pointer: the file itself was not fetched (`git lfs pull`)"


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
    from a hub. `lost` is filled with what of the file could not be read. `referring` is how media
    are referred to.
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
    lost: list[Lost] = field(default_factory=list)
    referring: Referring = REFERRING

    @property
    def name(self) -> str:
        """The file's name, without its folder."""
        return without_options(self.address).rsplit("/", 1)[-1]


def split_suffix(address: str) -> tuple[str, str, str]:
    """Split a file's name in three: stem, suffix in lower case, and its packing (`.gz`, …)."""
    name = without_options(address).rsplit("/", 1)[-1]
    packed = _suffix(name).lower()
    packed = packed if packed in PACKINGS else ""
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
    if scheme.lower() in WEB:
        raise DataError(
            f"{plain}: files on the web are not read",
            hint="download them first, or name a store, as in s3://bucket/data",
        )
    host, _, path = rest.partition("/")
    root = f"{scheme}://{host}" + ("" if host else "/") + (f"?{options}" if options else "")
    try:
        store, base = _store(root)
    except (pa.ArrowException, ValueError, ImportError, OSError) as error:
        raise DataError(f"{plain}: {error}", hint="see `pyarrow.fs` for the addresses") from None
    return store, f"{base.rstrip('/')}/{path}" if path else base


@contextmanager
def opened(reading: Reading, *, seekable: bool = False) -> Iterator[Any]:
    """Open a file as bytes, as it lies. DataError if that or a read fails."""
    import pyarrow as pa

    if not (seekable or remote(reading.address)):  # faster for many tiny files
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
        else:
            with store.open_input_stream(path, compression=None) as file:
                yield file
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{reading.label}: {error}") from None


def blocks(reading: Reading) -> Iterator[bytes | Lost]:
    """Yield a part's bytes in blocks, unpacked, and what is lost.

    A file that is packed under another name is known by its first bytes. DataError if a read fails,
    or if the file is a pointer of Git LFS.
    """
    packing = PACKINGS.get(split_suffix(reading.address)[2])
    with opened(reading, seekable=reading.end is not None) as file:
        if packing is not None:
            yield from unpacked(file, packing)
            return
        if reading.start:
            file.seek(reading.start)
        remaining = BLOCK if reading.end is None else reading.end - reading.start
        block = file.read(min(BLOCK, remaining))
        if not reading.start and (found := packing_of(block)):
            yield from unpacked(file, found, block)
            return
        if block.startswith(POINTER):
            raise DataError(f"{reading.label}: {NOT_FETCHED}")
        while block:
            yield block
            remaining = BLOCK if reading.end is None else remaining - len(block)
            block = file.read(min(BLOCK, remaining))


def broken(reading: Reading, file: Any, reason: str) -> DataError:
    """The error of an opened file that is not what it should be: `reason`, or a pointer to it."""
    file.seek(0)
    is_pointer = file.read(len(POINTER)) == POINTER
    return DataError(f"{reading.label}: {NOT_FETCHED if is_pointer else reason}")


def text_blocks(reading: Reading) -> Iterator[bytes | Lost]:
    """Yield blocks without a byte order mark; UTF-16 and UTF-32 become UTF-8.

    A file whose lines end in carriage returns alone gets newlines.
    """
    decoder = reading.decoder
    decoder.look = partial(foreign_lines, reading)
    first, has_returns = True, False
    for block in blocks(reading):
        if isinstance(block, Lost):
            yield block
        elif first and block:
            block = decoder.start(block)
            first, has_returns = False, b"\r" in block and b"\n" not in block
            yield _with_newlines(block) if has_returns else block
        else:
            block = decoder.narrow(block)
            yield _with_newlines(block) if has_returns else block
    yield decoder.narrow(b"", last=True)


def _with_newlines(block: bytes) -> bytes:
    return block.replace(b"\r", b"\n")


def foreign_lines(reading: Reading) -> Foreign | None:
    """What the lines of a whole file are that are not UTF-8; None if there are none."""
    evidence = Evidence()
    for block in blocks(replace(reading, start=0, end=None)):
        if isinstance(block, bytes):
            evidence.add(block)
        if evidence.enough:
            break
    return evidence.foreign()


def raw_lines(reading: Reading) -> Iterator[tuple[int, bytes | str]]:
    """Yield the numbered lines of a part as bytes without newline, or what is wrong with a line.

    A line longer than `max_bytes` is never held in memory. What cannot be unpacked goes to
    `reading.lost`, with the line that it cuts off.
    """
    number = reading.first - 1
    pieces: list[bytes] = []
    length = 0
    try:
        for block in text_blocks(reading):
            if isinstance(block, Lost):
                if not block.harmless:
                    pieces, length = [], 0
                reason = f"after line {number}: {block.reason}"
                reading.lost.append(replace(block, reason=reason, row=number))
                continue
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
        where = f"{reading.label}, after line {number}" if number else reading.label
        raise DataError(f"{where}: {cause}") from None
    if length:
        number += 1
        yield number, b"".join(pieces) if length <= reading.max_bytes else _too_long(reading)


def _too_long(reading: Reading) -> str:
    return f"longer than max_bytes ({reading.max_bytes})"


def text_lines(reading: Reading) -> Iterator[tuple[str, str]]:
    """Yield the lines of a part as text with a newline, and what is wrong with each, or nothing.

    A line that is no text has U+FFFD for its bytes, so that its quotes are still seen.
    """
    decode = reading.decoder.decode
    for _, line in raw_lines(reading):
        if isinstance(line, str):
            yield "\n", line
            continue
        try:
            yield decode(line) + "\n", ""
        except ValueError as error:
            yield line.decode("utf-8", "replace") + "\n", str(error)


def whole_bytes(reading: Reading) -> bytes | str:
    """A file's bytes, or what is wrong with it; a file over `max_bytes` is not read to its end.

    DataError if a part of it cannot be unpacked.
    """
    data: list[bytes] = []
    size = 0
    for block in blocks(reading):
        if isinstance(block, Lost):
            if not block.harmless:
                raise DataError(f"{reading.label}: {block.reason}")
            reading.lost.append(replace(block, reason=f"after line 1: {block.reason}", row=1))
            continue
        data.append(block)
        size += len(block)
        if size > reading.max_bytes:
            return _too_long(reading)
    return b"".join(data)


def whole_text(reading: Reading) -> str:
    """A file as one text. ValueError if it is too long or no text."""
    data = whole_bytes(reading)
    if isinstance(data, str):
        raise ValueError(data)
    return reading.decoder.whole(data)
