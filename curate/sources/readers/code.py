"""Source code: a file is one document, with its path and programming language.

A script without a suffix says its language in its first line (`#!`); where several languages have a
suffix, the content tells it. Of a notebook, the document is the source of its cells. Some files are
skipped, and counted: files of no known language, binary files (a NUL byte within the first 8,000,
as in git) and minified files (`.min.` in the name, or lines of more than 250 bytes on average).
Folders named in `LEFT_OUT` are not read.
"""

from __future__ import annotations

import codecs
from typing import Any

from curate.sources.readers import notebooks
from curate.sources.readers.languages import language_of, language_of_text
from curate.sources.readers.opening import (
    Numbered,
    Reading,
    Skip,
    blocks,
    split_suffix,
    whole_bytes,
)
from curate.text import TEXT

LEFT_OUT = frozenset(
    {
        *("node_modules", "bower_components", "vendor", "vendored", "third_party", "_vendor"),
        *("site-packages", "dist-packages", "venv", "__pycache__", "target", "dist", "build"),
    }
)
"""The names of folders with code that others wrote or a tool made."""

_LONG_LINE = 250
_SHORT_FILE = 2000


UNKNOWN = "no programming language goes by that name"

NOTEBOOK = ".ipynb"


def read(reading: Reading) -> Numbered:
    """Yield the one document of a file."""
    name = _unpacked(reading)
    is_notebook = split_suffix(reading.address)[1] == NOTEBOOK
    if not is_notebook and language_of(name) is None and not _is_script(reading):
        yield 1, Skip(UNKNOWN)
        return
    data = whole_bytes(reading)
    if isinstance(data, str):
        yield 1, data
    elif b"\0" in data[:8000] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        yield 1, Skip("binary")
    elif not is_notebook and is_minified(reading.name, data):
        yield 1, Skip("minified")
    elif not data.strip():
        yield 1, Skip("empty")
    else:
        try:
            text = reading.decoder.whole(data)
            row = notebooks.document(text) if is_notebook else _script(name, text)
        except ValueError as error:
            yield 1, str(error)
        else:
            yield 1, Skip(UNKNOWN) if row is None else {**row, "path": reading.label}


def _unpacked(reading: Reading) -> str:
    """The file's name without the suffix of a compression."""
    stem, suffix, _ = split_suffix(reading.address)
    return stem + reading.name[len(stem) : len(stem) + len(suffix)]


def _is_script(reading: Reading) -> bool:
    """Whether a file begins as a script does, which names what runs it."""
    first = next((block for block in blocks(reading) if isinstance(block, bytes) and block), b"")
    return first.removeprefix(codecs.BOM_UTF8).startswith(b"#!")


def _script(name: str, text: str) -> dict[str, Any] | None:
    language = language_of_text(name, text)
    return None if language is None else {TEXT: text, "programming_language": language}


def is_minified(name: str, data: bytes) -> bool:
    """Whether a file is minified, by its name or the average length of its lines."""
    return ".min." in name or (
        len(data) > _SHORT_FILE and len(data) > _LONG_LINE * (data.count(b"\n") + 1)
    )
