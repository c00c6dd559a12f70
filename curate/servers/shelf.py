"""Media that people see on an embedded server: a folder, and signed addresses of what lies in it.

    <home>/servers/NAME/media/PROJECT/SHA256.FORMAT     a copy, put there by a push
    /curate/media/SIGNATURE/PROJECT/SHA256.FORMAT       where a page asks for it

`push` writes, the guard of the server reads; both know the key. Only what a round shows is ever
copied here, so no address leads anywhere else. A file is checked against its hash as it is copied;
later changes of the source do not reach people. It is copied without places in its metadata, and
named by the sha256 of its source. Stdlib only: it runs in the server's own Python.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import stat
from collections.abc import Collection, Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

TYPES = {
    **{"png": "image/png", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"},
    **{"bmp": "image/bmp", "avif": "image/avif"},
    **{"wav": "audio/wav", "mp3": "audio/mpeg", "flac": "audio/flac", "ogg": "audio/ogg"},
    **{"m4a": "audio/mp4", "aac": "audio/aac"},
    **{"mp4": "video/mp4", "webm": "video/webm", "mov": "video/quicktime", "ogv": "video/ogg"},
}
"""The formats that browsers show, and their media types. SVG is none: it may hold scripts."""

ROOT = "/curate/media/"
NAME = re.compile(r"([0-9a-f]{64})\.([0-9a-z]{3,4})", re.ASCII)
PLACE = re.compile(
    r"/curate/media/(?P<signature>[0-9a-f]{64})/(?P<project>[0-9A-Za-z-]{1,64})"
    r"/(?P<name>[0-9a-f]{64}\.[0-9a-z]{3,4})",
    re.ASCII,
)
"""An address: nothing in it can leave the folder."""

BLOCK = 1 << 18

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Content-Disposition": "attachment",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
    "Accept-Ranges": "bytes",
}
"""What stands with every file: opened by itself it is saved, and runs nothing."""


@dataclass(frozen=True)
class Shelf:
    """The media of one embedded server: the folder, and the key that signs addresses."""

    folder: Path
    key: str = field(repr=False)

    def address(self, project: str, name: str) -> str:
        """The address of a file, on the server itself."""
        return f"{ROOT}{self._signature(project, name)}/{project}/{name}"

    def _signature(self, project: str, name: str) -> str:
        return hmac.new(self.key.encode(), f"{project}/{name}".encode(), "sha256").hexdigest()

    @staticmethod
    def of(folder: Path, secret: str) -> Shelf:
        """The shelf in a folder; its key is made from the secret of the server."""
        return Shelf(folder, hmac.new(secret.encode(), b"curate media", "sha256").hexdigest())

    def put(self, project: str, format: str, file: BinaryIO, shown: bytes | None = None) -> str:
        """Copy a file for the people of a project; its name says what the bytes of the file are.

        `shown` is what people get in their place. Returns the name. Raises ValueError for a format
        that browsers do not show, and OSError.
        """
        if format not in TYPES:
            raise ValueError(f"no browser shows {format}")
        folder = self.folder / project
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary, digest = folder / f".{os.getpid()}", hashlib.sha256()
        try:
            with temporary.open("wb") as copy:
                while block := file.read(BLOCK):
                    digest.update(block)
                    if shown is None:
                        copy.write(block)
                copy.write(shown or b"")
            name = f"{digest.hexdigest()}.{format}"
            temporary.replace(folder / name)
        finally:
            temporary.unlink(missing_ok=True)
        return name

    def has(self, project: str, name: str) -> bool:
        """Whether a file is there."""
        return (self.folder / project / name).is_file()

    def remove(self, project: str, names: Collection[str]) -> None:
        """Remove files that are shown no more."""
        for name in names:
            if NAME.fullmatch(name):
                with suppress(FileNotFoundError):
                    (self.folder / project / name).unlink()

    def opened(self, path: str) -> BinaryIO | None:
        """The open file of an address; None for one that is not signed, or is no plain file.

        Links are never followed, neither the project's folder nor the file.
        """
        place = PLACE.fullmatch(path)
        if place is None or place["name"].partition(".")[2] not in TYPES:
            return None
        expected = self._signature(place["project"], place["name"])
        if not hmac.compare_digest(expected, place["signature"]):
            return None
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            folder = os.open(self.folder / place["project"], flags | os.O_DIRECTORY)
        except OSError:
            return None
        try:
            handle = os.open(place["name"], flags, dir_fd=folder)
        except OSError:
            return None
        finally:
            os.close(folder)
        file = os.fdopen(handle, "rb")
        if stat.S_ISREG(os.fstat(handle).st_mode):
            return file
        file.close()
        return None

    def answer(self, method: str, path: str, asked: str | None) -> Answer:
        """The answer to a request; `asked` is the header `Range`."""
        if method not in ("GET", "HEAD"):
            return Answer(405, {**HEADERS, "Allow": "GET, HEAD", "Content-Length": "0"})
        file = self.opened(path)
        if file is None:
            return Answer(404, {**HEADERS, "Content-Length": "0"})
        size = os.fstat(file.fileno()).st_size
        headers = {**HEADERS, "Content-Type": TYPES[path.rpartition(".")[2]]}
        return _part(file, size, headers, asked if method == "GET" else None, method)


@dataclass(frozen=True)
class Answer:
    """A status, headers, and the part of an open file to send; None for no body."""

    status: int
    headers: Mapping[str, str]
    file: BinaryIO | None = None
    start: int = 0
    end: int = 0

    def blocks(self) -> Generator[bytes, None, None]:
        """Yield the bytes to send; the file is closed after them."""
        if self.file is None:
            return
        with self.file:
            self.file.seek(self.start)
            left = self.end - self.start
            while left and (block := self.file.read(min(BLOCK, left))):
                left -= len(block)
                yield block


RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))", re.ASCII)


def _part(
    file: BinaryIO, size: int, headers: Mapping[str, str], asked: str | None, method: str
) -> Answer:
    """All of a file, or the one stretch that the header `Range` asks for.

    Other values of it (several stretches, other units) ask for all, as RFC 9110 allows.
    """
    match = RANGE.fullmatch((asked or "").strip())
    start, end = stretch(match, size) if match else (0, size)
    if match and start >= end:
        file.close()
        more = {"Content-Range": f"bytes */{size}", "Content-Length": "0"}
        return Answer(416, {**headers, **more})
    more = {"Content-Length": str(end - start)}
    if match:
        more["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    if method == "HEAD":
        file.close()
        return Answer(200, {**headers, **more})
    return Answer(206 if match else 200, {**headers, **more}, file, start, end)


def stretch(match: re.Match[str], size: int) -> tuple[int, int]:
    """The half-open stretch of bytes that a `RANGE` asks for; empty where there is none."""
    first, last, of_end = match.groups()
    if of_end is not None:
        return max(size - int(of_end), 0), size
    return int(first), min(int(last) + 1, size) if last else size


def digest_of(address: str) -> str | None:
    """The sha256 of what an address shows: ours, or data in the address itself; else None."""
    if place := PLACE.search(address):
        return place["name"].partition(".")[0]
    content = data_of(address)
    return None if content is None else hashlib.sha256(content).hexdigest()


def data_of(address: str) -> bytes | None:
    """The bytes that an address holds itself, as it was sent; None for any other."""
    if not address.startswith("data:"):
        return None
    head, _, data = address.partition(",")
    try:
        is_base64 = head.endswith(";base64")
        return base64.b64decode(data, validate=True) if is_base64 else unquote(data).encode()
    except (binascii.Error, ValueError):
        return None
