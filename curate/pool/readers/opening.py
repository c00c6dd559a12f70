"""What every reader stands on: what to read, open files here or in an object store, and lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.errors import DataError
from curate.pool.readers.decoding import Decoder

if TYPE_CHECKING:
    import pyarrow.fs as pafs

BLOCK = 1 << 20
PIECE = 512
COMPRESSED = {".gz": "gzip", ".zst": "zstd"}
_OPTIONS = re.compile(r"\?(?=[\w.]+=)")


@dataclass(frozen=True)
class Skip:
    """What is no document, and why; it is counted, and never an error."""

    reason: str


Found = Mapping[str, Any] | str | Skip
Numbered = Iterator[tuple[int, Found]]
"""(line or row number, the row, or what is wrong with it)."""


@dataclass(frozen=True)
class Reading:
    """What a reader is given: where to read, how far, and how.

    `start` and `end` are bytes, row groups or batches, half-open; `first` is the number of the
    first row. `max_bytes` bounds a row. `query` is what a database or a hub is asked.
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
    """Return a file's name in three: stem, suffix in lower case, and `.gz` or `.zst`."""
    name = without_options(address).rsplit("/", 1)[-1]
    packed = _suffix(name).lower()
    packed = packed if packed in COMPRESSED else ""
    name = name[: len(name) - len(packed)]
    suffix = _suffix(name)
    return name[: len(name) - len(suffix)], suffix.lower(), packed


def _suffix(name: str) -> str:
    at = name.rfind(".")
    return name[at:] if 0 < at < len(name) - 1 else ""


# ── files, here or in an object store


def remote(address: str) -> bool:
    """Whether an address names an object store rather than a file here."""
    return "://" in address


def without_options(address: str) -> str:
    """Return an address without what follows a `?`: how it is named."""
    return _OPTIONS.split(address, maxsplit=1)[0] if remote(address) else address


@lru_cache(maxsize=64)
def _store(root: str) -> tuple[pafs.FileSystem, str]:
    import pyarrow.fs as pafs

    if not root:
        return pafs.LocalFileSystem(), ""
    found, base = pafs.FileSystem.from_uri(root)
    return found, base


def filesystem(address: str) -> tuple[pafs.FileSystem, str]:
    """Return the pyarrow filesystem of a path or address, and the path within it."""
    import pyarrow as pa

    if not remote(address):
        return _store("")[0], address
    plain = without_options(address)
    options = address[len(plain) + 1 :]
    scheme, _, rest = plain.partition("://")
    host, _, path = rest.partition("/")
    root = f"{scheme}://{host}" + ("" if host else "/") + (f"?{options}" if options else "")
    try:
        found, base = _store(root)
    except (pa.ArrowException, ValueError, ImportError, OSError) as error:
        raise DataError(f"{plain}: {error}", hint="see `pyarrow.fs` for the addresses") from None
    return found, f"{base.rstrip('/')}/{path}" if path else base


@contextmanager
def opened(given: Reading, *, seekable: bool = False) -> Iterator[Any]:
    """Yield a file's bytes, decompressed unless `seekable`. What goes wrong is a DataError."""
    import pyarrow as pa

    packed = COMPRESSED.get(split_suffix(given.address)[2])
    if not (packed or seekable or remote(given.address)):  # tiny files come by the hundred thousand
        try:
            with Path(given.address).open("rb") as plain:
                yield plain
        except OSError as error:
            raise DataError(f"{given.label}: {error.strerror or error}") from None
        return
    store, path = filesystem(given.address)
    try:
        if seekable:
            with store.open_input_file(path) as file:
                yield file
        else:
            with store.open_input_stream(path, compression=packed) as file:
                yield file
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{given.label}: {error}") from None


def _blocks(given: Reading) -> Iterator[bytes]:
    """Yield a part's bytes, in blocks; UTF-16 and UTF-32 as UTF-8, without a byte order mark."""
    with opened(given, seekable=given.end is not None) as file:
        if given.start:
            file.seek(given.start)
        packed = split_suffix(given.address)[2]
        blocks = _packed(file) if packed else _plain(file, given.end and given.end - given.start)
        first = True
        for block in blocks:
            yield given.decoder.start(block) if first else given.decoder.narrow(block)
            first = False


def _plain(file: Any, left: int | None) -> Iterator[bytes]:
    while block := file.read(BLOCK if left is None else min(BLOCK, left)):
        left = None if left is None else left - len(block)
        yield block


def _packed(file: Any) -> Iterator[bytes]:
    """Yield a decompressed file in blocks, the last of them what was there before it was cut.

    A read fails as a whole where the file ends too early, so that each asks for little.
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


def raw_lines(given: Reading) -> Iterator[tuple[int, bytes | str]]:
    """Yield numbered lines of a part as bytes, without their newline, or what is wrong with one.

    A line longer than `max_bytes` is never held in memory.
    """
    number = given.first - 1
    rest: list[bytes] = []
    held = 0
    try:
        for block in _blocks(given):
            head, *lines = block.split(b"\n")
            if held <= given.max_bytes:
                rest.append(head)
            held += len(head)
            if not lines:
                continue
            number += 1
            yield number, b"".join(rest) if held <= given.max_bytes else _too_long(given)
            last = lines.pop()
            for line in lines:
                number += 1
                yield number, line if len(line) <= given.max_bytes else _too_long(given)
            rest, held = [last], len(last)
    except DataError as error:
        cause = error.message.removeprefix(f"{given.label}: ")
        raise DataError(f"{given.label}, after line {number}: {cause}") from None
    if held:
        number += 1
        yield number, b"".join(rest) if held <= given.max_bytes else _too_long(given)


def _too_long(given: Reading) -> str:
    return f"longer than max_bytes ({given.max_bytes})"


def text_lines(given: Reading) -> Iterator[tuple[int, str]]:
    """Yield numbered lines of a part as text, with a newline. DataError for one that is none."""
    for number, line in raw_lines(given):
        try:
            if isinstance(line, str):
                raise ValueError(line)
            yield number, given.decoder.decode(line) + "\n"
        except ValueError as error:
            raise DataError(f"{given.label}, line {number}: {error}") from None


def whole_bytes(given: Reading) -> bytes | str:
    """Return a file's bytes, or what is wrong with it; never more than `max_bytes` are held."""
    with opened(given) as file:
        data: bytes = file.read(given.max_bytes + 1)
    return data if len(data) <= given.max_bytes else _too_long(given)


def whole_text(given: Reading) -> str:
    """Return a file as one text. ValueError if it is too long or no text."""
    data = whole_bytes(given)
    if isinstance(data, str):
        raise ValueError(data)
    return given.decoder.whole(data)
