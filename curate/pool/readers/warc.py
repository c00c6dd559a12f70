"""Web archives: the main text of every page of a WARC, the texts of a WET.

Addresses and dates become the columns `url` and `date`. Requests and metadata are no documents;
an answer that is no page, or that says it failed, is skipped, and counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curate.errors import DataError
from curate.pool.readers import html
from curate.pool.readers.opening import Found, Numbered, Reading, Skip, opened
from curate.text import TEXT

PAGES = ("text/html", "application/xhtml+xml")


def read(given: Reading) -> Numbered:
    """Yield the document of every response and conversion; its number is the record's."""
    from fastwarc.warc import ArchiveIterator, WarcRecordType

    documents = WarcRecordType.response | WarcRecordType.conversion | WarcRecordType.resource
    number = 0
    with opened(given) as file:
        stream = _Stream(file)
        try:
            for number, record in enumerate(ArchiveIterator(stream), 1):
                if record.record_type & documents:
                    found = _document(record, given)
                    stream.check()  # a record that was cut is none
                    yield number, found
            stream.check()
        except (OSError, ValueError, RuntimeError) as error:
            raise DataError(f"{given.label}, after record {number}: {error}") from None
    if not number:
        raise DataError(f"{given.label}: no WARC record in it")


class _Stream:
    """A pyarrow stream as fastwarc reads one: it ends where it cannot be read any further.

    fastwarc's own thread of control cannot take an exception; `check` raises it afterwards.
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
        return self.at  # only ever asked where it stands

    def close(self) -> None:
        """Leave it to who opened it."""

    def check(self) -> None:
        """Raise the OSError that was met, if any."""
        if self.error:
            raise self.error


def _document(record: Any, given: Reading) -> Found:
    about = {"url": record.headers.get("WARC-Target-URI"), "date": record.headers.get("WARC-Date")}
    kind = (record.http_content_type or record.headers.get("Content-Type") or "").lower()
    kind = kind.partition(";")[0].strip()
    status = record.http_headers.status_code if record.http_headers else None
    if status is not None and status != 200:
        return Skip(f"the server answered {status}")
    if kind not in PAGES and not kind.startswith("text/plain"):
        return Skip(f"no page but {kind or 'something without a type'}")
    data = record.reader.read(given.max_bytes + 1)
    if len(data) > given.max_bytes:
        return f"longer than max_bytes ({given.max_bytes})"
    try:
        return _page(data, kind, about, record.http_charset, given)
    except ValueError as error:
        return str(error)


def _page(
    data: bytes, kind: str, about: Mapping[str, Any], charset: str | None, given: Reading
) -> Found:
    text = html.decode(data, given.decoder, charset)
    if kind not in PAGES:
        return {TEXT: text, **about}
    page = html.main_text(text, about["url"])
    return {**page, **about, "published": page.get("date")} if page else html.NOTHING
