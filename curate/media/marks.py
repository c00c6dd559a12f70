"""What readers of places share: edits that keep every length, words, and bounds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from curate.media.containers import jpeg, png
from curate.media.medium import MediumError

Edit = tuple[int, bytes]
"""Where bytes are overwritten, and by which, of the same number."""

PLACE_WORD = re.compile(rb"location|gps|latitude|longitude|geo_?tag|coordinates", re.IGNORECASE)
"""What the key of a tag holds if its value tells a place."""

MOST_PARTS = 8
"""So many parts of one sort, such as XMP boxes, items of EXIF or tags, are looked at."""


def few(marks: Iterable[re.Match[bytes]], most: int) -> Iterator[re.Match[bytes]]:
    """Yield marks in a file. MediumError where there are too many to look at each."""
    for number, mark in enumerate(marks):
        if number == most:
            raise MediumError("it has too many parts of metadata")
        yield mark


def picture_tells(data: bytes) -> bool:
    """Whether the picture within a tag tells a place."""
    found = re.search(rb"\xff\xd8\xff|\x89PNG\r\n", data)
    if found is None:
        return False
    own = data[found.start() :]
    return any(part.tells for part in (jpeg(own) if own[:1] == b"\xff" else png(own)))
