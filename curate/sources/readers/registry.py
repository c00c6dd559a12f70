"""The formats of files, their suffixes and their readers."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Literal

from curate.media.kinds import SUFFIXES as MEDIA
from curate.media.medium import KINDS
from curate.sources.readers.opening import Numbered, Reading

Reader = Callable[[Reading], Numbered]

Format = Literal[
    "jsonl",
    "json",
    "csv",
    "tsv",
    "parquet",
    "arrow",
    "text",
    "markdown",
    "html",
    "code",
    "warc",
    "pdf",
    "docx",
    "epub",
    "image",
    "audio",
    "video",
    "webdataset",
]

FORMATS: dict[Format, tuple[str, ...]] = {
    "jsonl": (".jsonl", ".ndjson"),
    "json": (".json",),
    "csv": (".csv",),
    "tsv": (".tsv",),
    "parquet": (".parquet",),
    "arrow": (".arrow", ".feather", ".ipc"),
    "text": (".txt",),
    "markdown": (".md", ".markdown"),
    "html": (".html", ".htm", ".xhtml"),
    "code": (".ipynb",),
    "warc": (".warc", ".wet"),
    "pdf": (".pdf",),
    "docx": (".docx",),
    "epub": (".epub",),
    "image": tuple(MEDIA["image"]),
    "audio": tuple(MEDIA["audio"]),
    "video": tuple(MEDIA["video"]),
    "webdataset": (".tar",),
}
"""The formats of files and their suffixes; `.gz`, `.zst`, `.bz2` and `.xz` may follow."""

SUFFIXES: dict[str, Format] = {
    suffix: name for name, suffixes in FORMATS.items() for suffix in suffixes
}

MODULES: dict[str, str] = {"tsv": "csv", "json": "jsonl", **dict.fromkeys(KINDS, "media")}
"""The modules of the formats whose module has another name."""


def reader(name: str) -> Reader:
    """The reader of a format: the function `read` of its module."""
    module = import_module(f"{__package__}.{MODULES.get(name, name)}")
    read: Reader = module.read
    return read
