"""Plain text: a file is one document."""

from __future__ import annotations

from curate.sources.readers.opening import Numbered, Reading, whole_text
from curate.text import TEXT


def read(reading: Reading) -> Numbered:
    """Yield the one document of a file."""
    try:
        yield 1, {TEXT: whole_text(reading), "path": reading.name}
    except ValueError as error:
        yield 1, str(error)
