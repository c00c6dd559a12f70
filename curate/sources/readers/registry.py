"""The formats of files, their suffixes and their readers."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Literal

from curate.sources.readers.opening import Numbered, Reading

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
"""The formats of files and their suffixes; `.gz` and `.zst` may follow a suffix."""

SUFFIXES: dict[str, Format] = {
    suffix: name for name, suffixes in FORMATS.items() for suffix in suffixes
}

MODULES: dict[str, str] = {"tsv": "csv"}
"""The modules of the formats whose module has another name."""


def reader(name: str) -> Reader:
    """The reader of a format: the function `read` of its module."""
    module = import_module(f"{__package__}.{MODULES.get(name, name)}")
    read: Reader = module.read
    return read
