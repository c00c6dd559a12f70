"""One reader for each format: bytes in, numbered rows out.

A reader is a function `(Reading) -> Iterator[(number, row)]`: `number` is the line or row in its
file, `row` a mapping of column → value, a text that says what is wrong with that row, or a `Skip`
for what is no document (a picture in a web archive). A file that cannot be read any further is a
DataError: what was read before it counts.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Literal

from curate.pool.readers.opening import Numbered, Reading

Reader = Callable[[Reading], Numbered]

Format = Literal[
    "jsonl",
    "csv",
    "tsv",
    "parquet",
    "arrow",
    "text",
    "markdown",
    "html",
    "code",
    "warc",
    "image",
]

FORMATS: dict[Format, tuple[str, ...]] = {
    "jsonl": (".jsonl", ".ndjson"),
    "csv": (".csv",),
    "tsv": (".tsv",),
    "parquet": (".parquet",),
    "arrow": (".arrow", ".feather", ".ipc"),
    "text": (".txt",),
    "markdown": (".md", ".markdown"),
    "html": (".html", ".htm", ".xhtml"),
    "code": (),
    "warc": (".warc", ".wet"),
    "image": (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff"),
}
"""Every format of files, and the suffixes that mean it; `.gz` and `.zst` may follow."""

SUFFIXES: dict[str, Format] = {suffix: name for name, many in FORMATS.items() for suffix in many}

MODULES: dict[str, str] = {"tsv": "csv"}
"""The module of a format, where it does not bear its name."""


def reader(name: str) -> Reader:
    """Return the reader of a format: the function `read` of its module."""
    module = import_module(f"{__package__}.{MODULES.get(name, name)}")
    found: Reader = module.read
    return found
