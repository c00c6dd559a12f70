"""An HTTP answer as an archive keeps it: its status, its headers and its body as a browser has it.

A body may be sent in chunks and compressed (RFC 9112, RFC 9110). Where its bytes are not what the
headers say, the bytes are believed: an archive may keep the headers of a body that it unpacked.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from curate.sources.readers.unpacking import LARGEST_WINDOW

_STATUS = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_CHUNK = re.compile(rb"[ \t]*([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]{0,1000})?\r?\n")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_PAGE = re.compile(
    rb"\s*(?:<!--.{0,1000}?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
_GZIP = b"\x1f\x8b"

MOST_CODINGS = 4
"""A body that is packed more often is not unpacked any further."""


@dataclass(frozen=True)
class Answer:
    """An answer of a server: its status, its headers by their small names, and the decoded body.

    `status` is None for a body without a head. `kind` is the media type, `charset` its parameter.
    """

    status: int | None
    headers: Mapping[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        """The media type: as declared, or as the bytes look if there is none; or empty."""
        declared = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return declared or ("text/html" if _PAGE.match(self.body[:4096]) else "")

    @property
    def charset(self) -> str:
        """The encoding that the headers name, or nothing."""
        match = _CHARSET.search(self.headers.get("content-type", ""))
        return match[1] if match else ""


def answer(data: bytes, limit: int) -> Answer:
    """Read an answer. Its body is not unpacked past `limit` bytes. ValueError if it is damaged."""
    status = None
    headers: dict[str, str] = {}
    while match := _STATUS.match(data):
        end = _HEAD_END.search(data)
        head, data = (data[: end.start()], data[end.end() :]) if end else (data, b"")
        status, headers = int(match[1]), fields(head)
        if status >= 200:  # others come before the answer itself
            break
    return Answer(status, headers, decoded(data, headers, limit))


def fields(head: bytes) -> dict[str, str]:
    """The fields of a head by their small names; those of one name are joined by commas."""
    values: dict[str, str] = {}
    name = ""
    for line in re.split(r"\r?\n", head.decode("utf-8", "replace"))[1:]:
        if line[:1] in (" ", "\t") and name:  # a line that goes on
            values[name] += f" {line.strip()}"
            continue
        name, colon, value = line.partition(":")
        name = name.strip().lower() if colon else ""
        if name:
            values[name] = f"{values[name]}, {value.strip()}" if name in values else value.strip()
    return values


def decoded(body: bytes, headers: Mapping[str, str], limit: int) -> bytes:
    """The body without chunks and unpacked. ValueError if it is damaged."""
    transfer = _codings(headers.get("transfer-encoding", ""))
    joined = joined_chunks(body, whole="chunked" not in transfer)
    body = body if joined is None else joined
    codings = [*_codings(headers.get("content-encoding", "")), *transfer]
    for coding in reversed(codings[-MOST_CODINGS:]):
        if coding in CODINGS:
            body = CODINGS[coding](body, limit)
    for _ in range(MOST_CODINGS):
        if not body.startswith(_GZIP):
            break
        body = _gunzipped(body, limit)
    return body


def _codings(value: str) -> list[str]:
    return [coding.partition(";")[0].strip().lower() for coding in value.split(",")]


def joined_chunks(body: bytes, *, whole: bool) -> bytes | None:
    """A body without its chunk sizes; None if it has none.

    If `whole`, only a body that is chunks up to its end; else, what there is of it.
    """
    parts: list[bytes] = []
    at = 0
    while size := _CHUNK.match(body, at):
        start, length = size.end(), int(size[1], 16)
        if not length:
            return b"".join(parts)
        parts.append(body[start : start + length])
        at = start + length
        if whole and body[at : at + 1] not in (b"\r", b"\n"):
            return None
        at += 2 if body.startswith(b"\r\n", at) else 1
    return None if whole or not parts else b"".join(parts)


def _gunzipped(body: bytes, limit: int) -> bytes:
    if not body.startswith(_GZIP):
        return body
    parts: list[bytes] = []
    size = 0
    while body.startswith(_GZIP) and size <= limit:  # a body may have several members
        decoder = zlib.decompressobj(31)
        try:
            parts.append(decoder.decompress(body, limit + 1 - size))
        except zlib.error as error:
            raise ValueError(f"its body is damaged gzip data ({error})") from None
        size += len(parts[-1])
        body = decoder.unused_data
    return b"".join(parts)


def _inflated(body: bytes, limit: int) -> bytes:
    """A body of `deflate`, which is zlib's format, or for some servers the bare data."""
    for bits in (15, -15):
        decoder = zlib.decompressobj(bits)
        try:
            data = decoder.decompress(body, limit + 1)
        except zlib.error:
            continue
        if data and (decoder.eof or bits == 15 or not _looks_plain(body)):
            return data
    return body


def _looks_plain(body: bytes) -> bool:
    """Whether the first bytes are those of a text."""
    head = body[:200]
    return not any(byte < 9 or 13 < byte < 32 for byte in head) and b"<" in head


def _from_brotli(body: bytes, limit: int) -> bytes:
    import brotli

    decoder, parts, size = brotli.Decompressor(), [], 0
    try:
        data = decoder.process(body, output_buffer_limit=1 << 16)
        while data or not decoder.can_accept_more_data():
            parts.append(data)
            size += len(data)
            if size > limit:
                break
            data = decoder.process(b"", output_buffer_limit=1 << 16)
    except brotli.error:
        return body
    return b"".join(parts) if parts and (decoder.is_finished() or not _looks_plain(body)) else body


def _from_zstd(body: bytes, limit: int) -> bytes:
    import zstandard

    if not body.startswith(b"\x28\xb5\x2f\xfd"):
        return body
    decompressor = zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW)
    try:
        with decompressor.stream_reader(body, read_across_frames=True) as reader:
            return reader.read(limit + 1)
    except zstandard.ZstdError as error:
        raise ValueError(f"its body is damaged zstd data ({error})") from None


CODINGS: Mapping[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzipped,
    "x-gzip": _gunzipped,
    "deflate": _inflated,
    "br": _from_brotli,
    "zstd": _from_zstd,
}
"""What unpacks a body, by the name of its coding; each gives a body back that is not so coded."""
