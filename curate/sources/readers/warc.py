"""Web archives: the main text of every page of a WARC, the texts of a WET.

Addresses and dates become the columns `url` and `date`. Requests and metadata are no documents. A
response that is no page, or that reports a failure, is skipped, and counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curate.errors import DataError
from curate.sources.readers import html
from curate.sources.readers.opening import Numbered, Reading, RowResult, Skip, opened
from curate.text import TEXT

PAGES = ("text/html", "application/xhtml+xml")


def read(reading: Reading) -> Numbered:
    """Yield the document of every response, conversion and resource, with its record's number."""
    from fastwarc.warc import ArchiveIterator, WarcRecordType

    documents = WarcRecordType.response | WarcRecordType.conversion | WarcRecordType.resource
    number = 0
    with opened(reading) as file:
        stream = _Stream(file)
        try:
            for number, record in enumerate(ArchiveIterator(stream), 1):
                if record.record_type & documents:
                    result = _document(record, reading)
                    stream.check()  # fails if this record was cut short
                    yield number, result
            stream.check()
        except (OSError, ValueError, RuntimeError) as error:
            raise DataError(f"{reading.label}, after record {number}: {error}") from None
    if not number:
        raise DataError(f"{reading.label}: no WARC record in it")


class _Stream:
    """A pyarrow stream for fastwarc; it ends where it cannot be read any further.

    fastwarc cannot pass on an exception from within a read; `check` raises it afterwards.
    """

    def __init__(self, file: Any) -> None:
        self.file = file
        self.at = 0
        self.error: OSError | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            data: bytes = b"" if self.error else self.file.read(size if size >= 0 else None)
        except OSError as error:
            self.error = error
            return b""
        self.at += len(data)
        return data

    def tell(self) -> int:
        return self.at

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.at  # fastwarc only asks for the position

    def close(self) -> None:
        """Do nothing: the caller closes the file."""

    def check(self) -> None:
        """Raise the OSError of an earlier read, if there was one."""
        if self.error:
            raise self.error


def _document(record: Any, reading: Reading) -> RowResult:
    origin = {"url": record.headers.get("WARC-Target-URI"), "date": record.headers.get("WARC-Date")}
    kind = (record.http_content_type or record.headers.get("Content-Type") or "").lower()
    kind = kind.partition(";")[0].strip()
    status = record.http_headers.status_code if record.http_headers else None
    if status is not None and status != 200:
        return Skip(f"the server answered {status}")
    if kind not in PAGES and not kind.startswith("text/plain"):
        return Skip(f"no page but {kind or 'something without a type'}")
    data = record.reader.read(reading.max_bytes + 1)
    if len(data) > reading.max_bytes:
        return f"longer than max_bytes ({reading.max_bytes})"
    try:
        return _page(data, kind, origin, record.http_charset, reading)
    except ValueError as error:
        return str(error)


def _page(
    data: bytes, kind: str, origin: Mapping[str, Any], charset: str | None, reading: Reading
) -> RowResult:
    text = html.decode(data, reading.decoder, charset)
    if kind not in PAGES:
        return {TEXT: text, **origin}
    page = html.main_text(text, origin["url"])
    return {**page, **origin, "published": page.get("date")} if page else html.NOTHING
