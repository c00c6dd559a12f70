"""HTML: the main text of a page, with its title and address.

What is main is decided by trafilatura: Barbaresi, ACL 2021 (system demonstrations), 122-131.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from curate.pool.readers.decoding import Decoder
from curate.pool.readers.opening import Numbered, Reading, whole_bytes
from curate.text import TEXT

_CHARSET = re.compile(rb"""<meta[^>]{1,200}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)
_KEPT = ("title", "author", "date", "sitename", "description")

NOTHING = "no main text in the page"


def read(given: Reading) -> Numbered:
    """Yield the one document of a page."""
    data = whole_bytes(given)
    try:
        if isinstance(data, str):
            raise ValueError(data)
        page = main_text(decode(data, given.decoder))
    except ValueError as error:
        yield 1, str(error)
    else:
        yield 1, {**page, "path": given.name} if page else NOTHING


def decode(data: bytes, decoder: Decoder, hint: str | None = None) -> str:
    """Return a page as text; `hint` is the encoding told outside of it, next comes its `meta`."""
    found = None if hint else _CHARSET.search(data[:4096])
    return decoder.whole(data, hint or (found[1].decode("ascii", "replace") if found else ""))


def main_text(page: str, url: str | None = None) -> Mapping[str, Any] | None:
    """Return a page's main text and what is known of it, or None if there is none.

    `url` is its address; without it, the one that the page names.
    """
    from trafilatura import bare_extraction

    try:
        found = bare_extraction(
            page,
            url=url,
            with_metadata=True,
            include_comments=False,
            date_extraction_params={"original_date": True, "extensive_search": False},
        )
    except (RecursionError, ValueError):  # lxml gives up on some pages
        return None
    about = {} if found is None else found if isinstance(found, dict) else found.as_dict()
    if not about.get("text"):
        return None
    kept = {name: about[name] for name in _KEPT if about.get(name)}
    return {TEXT: about["text"], "url": url or about.get("url"), **kept}
