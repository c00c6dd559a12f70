"""Web archives: the main text of every page of a WARC, the texts of a WET.

Addresses and dates become the columns `url` and `date`. Requests and metadata are no documents. A
response that is no page, or that reports a failure, is skipped, and counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curate.errors import DataError
from curate.sources.readers import html
from curate.sources.readers.http_answer import Answer, answer
from curate.sources.readers.opening import Numbered, Reading, RowResult, Skip
from curate.sources.readers.warc_records import Record, records
from curate.text import TEXT

PAGES = ("text/html", "application/xhtml+xml")

SHOWN = (200, 203)
"""The answers that hold the page: the server's own, or as a proxy changed it."""

DOCUMENTS = ("response", "conversion", "resource")
"""The types of records that hold documents."""


def read(reading: Reading) -> Numbered:
    """Yield the document of every response, conversion and resource, with its record's number."""
    number = 0
    for record in records(reading):
        number = record.number
        if (result := _result(record, reading)) is not None:
            yield number, result
    if not number and not reading.lost:
        raise DataError(f"{reading.label}: no WARC record in it")


def _result(record: Record, reading: Reading) -> RowResult | None:
    """What becomes of a record; None if it holds no document."""
    kind = record.headers.get("warc-type", "").lower()
    if kind == "revisit":
        return Skip("a page that did not change: its text is in an earlier record")
    if record.wrong:
        return record.wrong if kind in (*DOCUMENTS, "") else None
    if kind not in DOCUMENTS:
        return None
    try:
        return _document(record, reading)
    except ValueError as error:
        return str(error)


def _document(record: Record, reading: Reading) -> RowResult:
    """The document of a record. ValueError if it cannot be read."""
    given = answer(record.body, reading.max_bytes) if _is_http(record) else _as_it_lies(record)
    if given.status not in (None, *SHOWN):
        return Skip(f"the server answered {given.status}")
    if given.kind not in PAGES and not given.kind.startswith("text/plain"):
        return Skip(f"no page but {given.kind or 'something without a type'}")
    if len(given.body) > reading.max_bytes:
        return f"longer than max_bytes ({reading.max_bytes})"
    url = record.headers.get("warc-target-uri")
    origin = {"url": url and without_brackets(url), "date": record.headers.get("warc-date")}
    return _page(given, origin, reading)


def _is_http(record: Record) -> bool:
    return record.body.startswith(b"HTTP/")


def _as_it_lies(record: Record) -> Answer:
    """The content of a record without an HTTP head."""
    kind = record.headers.get("content-type", "")
    is_http = kind.lower().startswith("application/http")
    return Answer(None, {} if is_http else {"content-type": kind}, record.body)


def without_brackets(address: str) -> str:
    """An address without the angle brackets that wget puts around it."""
    return address.strip().removeprefix("<").removesuffix(">")


def _page(given: Answer, origin: Mapping[str, Any], reading: Reading) -> RowResult:
    text = reading.decoder.whole(given.body, given.charset)
    if given.kind not in PAGES:
        return {TEXT: text, **origin}
    page = html.main_text(text, origin["url"])
    return {**page, **origin, "published": page.get("date")} if page else html.NOTHING
