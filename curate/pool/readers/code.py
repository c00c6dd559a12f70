"""Source code: a file is one document, with its path and programming language.

Skipped, and counted: files of no known language, binary ones (a NUL byte within the first 8,000,
as git has it) and minified ones (`.min.` in the name, or lines of more than 250 characters on
average). Which folders of a tree are left out is `LEFT_OUT`.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import PurePosixPath

from curate.pool.readers.opening import Numbered, Reading, Skip, whole_bytes
from curate.text import TEXT

LEFT_OUT = frozenset(
    {
        *("node_modules", "bower_components", "vendor", "vendored", "third_party", "_vendor"),
        *("site-packages", "dist-packages", "venv", "__pycache__", "target", "dist", "build"),
    }
)
"""Folders that hold what others wrote or a tool made."""

_LONG = 250
_FEW = 2000


def read(given: Reading) -> Numbered:
    """Yield the one document of a file."""
    language = language_of(given.name)
    if language is None:
        yield 1, Skip("no programming language goes by that name")
        return
    data = whole_bytes(given)
    if isinstance(data, str):
        yield 1, data
    elif b"\0" in data[:8000] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        yield 1, Skip("binary")
    elif is_minified(given.name, data):
        yield 1, Skip("minified")
    elif not data.strip():
        yield 1, Skip("empty")
    else:
        try:
            text = given.decoder.whole(data)
        except ValueError as error:
            yield 1, str(error)
        else:
            yield 1, {TEXT: text, "path": given.label, "programming_language": language}


def is_minified(name: str, data: bytes) -> bool:
    """Whether a file was made small for machines."""
    return ".min." in name or (len(data) > _FEW and len(data) > _LONG * (data.count(b"\n") + 1))


def language_of(name: str) -> str | None:
    """Return the programming language that a file's name tells, or None."""
    suffix = PurePosixPath(name).suffix
    return _language(f"x{suffix}" if suffix else name)


@lru_cache(maxsize=4096)
def _language(name: str) -> str | None:
    from pygments.lexers import find_lexer_class_for_filename

    found = find_lexer_class_for_filename(name)
    return None if found is None else str(found.name)
