"""HTML: the main text of a page, with its title and address.

The main text is what trafilatura extracts: Barbaresi, ACL 2021 (system demonstrations), 122-131.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from curate.sources.readers.opening import Numbered, Reading, whole_bytes
from curate.text import TEXT

_METADATA = ("title", "author", "date", "sitename", "description")

_TAG = re.compile(r"<(?P<name>[a-zA-Z][^\s/>]*)")
_ATTRIBUTE = re.compile(
    r"[\s/]*+[^\s/>=]++(?:\s*+=\s*+(?:\"[^\"]*\"|'[^']*'|[^\s>]*+))?+|[\s/]*+=[^\s>]*+"
)
_CODE = ("script", "style")

MOST_ATTRIBUTES = 1000
"""A tag with more is refused: the parser compares each attribute with all before it."""

NOTHING = "no main text in the page"


def read(reading: Reading) -> Numbered:
    """Yield the one document of a page."""
    data = whole_bytes(reading)
    try:
        if isinstance(data, str):
            raise ValueError(data)
        page = main_text(reading.decoder.whole(data))
    except ValueError as error:
        yield 1, str(error)
    else:
        yield 1, {**page, "path": reading.name} if page else NOTHING


def main_text(page: str, url: str | None = None) -> Mapping[str, Any] | None:
    """The main text of a page with its metadata, or None if it has no main text.

    `url` is the page's address; by default, the one that the page names. ValueError for a tag with
    more than `MOST_ATTRIBUTES`.
    """
    from trafilatura import bare_extraction

    _check_attributes(page)
    try:
        result = bare_extraction(
            page,
            url=url,
            with_metadata=True,
            include_comments=False,
            date_extraction_params={"original_date": True, "extensive_search": False},
        )
    except (RecursionError, ValueError):  # lxml gives up on some pages
        return None
    fields = {} if result is None else result if isinstance(result, dict) else result.as_dict()
    if not fields.get("text"):
        return None
    metadata = {name: fields[name] for name in _METADATA if fields.get(name)}
    return {TEXT: fields["text"], "url": url or fields.get("url"), **metadata}


def _check_attributes(page: str) -> None:
    """Raise ValueError for a tag with more than `MOST_ATTRIBUTES`, in one pass over the page."""
    tag = _TAG.search(page)
    while tag:
        at, attributes = tag.end(), 0
        while attribute := _ATTRIBUTE.match(page, at):
            at, attributes = attribute.end(), attributes + 1
        if attributes > MOST_ATTRIBUTES:
            raise ValueError(f"a tag has more than {MOST_ATTRIBUTES:,} attributes")
        if tag["name"].lower() in _CODE:
            end = page.find("</", at)
            at = end if end >= 0 else len(page)
        tag = _TAG.search(page, at)
