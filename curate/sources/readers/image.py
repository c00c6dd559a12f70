"""Images: a file is one document without text, for people to look at.

The id of the document comes from the sha256 of its bytes. People see the image at its address.
"""

from __future__ import annotations

import hashlib
from typing import Any

from curate.sources.readers.opening import Numbered, Reading, blocks
from curate.sources.readers.unpacking import Lost

FIELD = "image"


def read(reading: Reading) -> Numbered:
    """Yield the one document of a file."""
    hasher, size = hashlib.sha256(), 0
    for block in blocks(reading):
        if isinstance(block, Lost):
            yield 1, block.reason
            return
        hasher.update(block)
        size += len(block)
    if not size:
        yield 1, "an empty file"
    else:
        yield 1, {FIELD: reference(reading.label, hasher.hexdigest(), size), "path": reading.name}


def reference(address: str, sha256: str | None, size: int | None) -> dict[str, Any]:
    """The pool's record of an image: its address, and its bytes' sha256 and size if known."""
    return {"address": address, "sha256": sha256, "bytes": size}
