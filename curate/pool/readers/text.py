"""Plain text: a file is one document."""

from __future__ import annotations

from pathlib import Path

from curate.pool.readers.opening import Numbered, Reading, text_lines
from curate.text import TEXT


def read(given: Reading) -> Numbered:
    """Yield the one document of a file."""
    text = "\n".join(line.removesuffix("\n") for _, line in text_lines(given, tail=True))
    yield 1, {TEXT: text, "path": Path(given.address).name}
