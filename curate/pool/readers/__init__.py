"""One reader for each format: bytes in, numbered rows out.

A reader is a function `(Reading) -> Iterator[(number, row)]`: `number` is the line or row in its
file, `row` a mapping of column → value, or a text that says what is wrong with that row. A file
that cannot be read any further is a DataError.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from curate.pool.readers.opening import Numbered, Reading

Reader = Callable[[Reading], Numbered]

FORMATS: dict[str, tuple[str, ...]] = {
    "jsonl": (".jsonl", ".ndjson"),
    "csv": (".csv",),
    "tsv": (".tsv",),
    "parquet": (".parquet",),
    "text": (".txt", ".md"),
}
"""Every format, and the suffixes that mean it."""

SUFFIXES: dict[str, str] = {suffix: name for name, many in FORMATS.items() for suffix in many}

MODULES: dict[str, str] = {"tsv": "csv"}
"""The module of a format, where it does not bear its name."""


def reader(name: str) -> Reader:
    """Return the reader of a format: the function `read` of its module."""
    module = import_module(f"{__name__}.{MODULES.get(name, name)}")
    found: Reader = module.read
    return found
