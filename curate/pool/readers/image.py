"""Images: a file is one document without text, for people to look at.

The document is known by the sha256 of its bytes; what people see is where it lies.
"""

from __future__ import annotations

import hashlib
from typing import Any

from curate.pool.readers.opening import BLOCK, Numbered, Reading, opened

FIELD = "image"


def read(given: Reading) -> Numbered:
    """Yield the one document of a file."""
    hasher, size = hashlib.sha256(), 0
    with opened(given) as file:
        while block := file.read(BLOCK):
            hasher.update(block)
            size += len(block)
    if not size:
        yield 1, "an empty file"
    else:
        yield 1, {FIELD: reference(given.label, hasher.hexdigest(), size), "path": given.name}


def reference(address: str, sha256: str | None, size: int | None) -> dict[str, Any]:
    """Return what the pool keeps of an image: where it lies, and what its bytes are if known."""
    return {"address": address, "sha256": sha256, "bytes": size}
