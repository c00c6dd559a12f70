"""Source code: a file is one document, with its path and programming language.

Some files are skipped, and counted: files of no known language, binary files (a NUL byte within the
first 8,000, as in git) and minified files (`.min.` in the name, or lines of more than 250
bytes on average). Folders named in `LEFT_OUT` are not read.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import PurePosixPath

from curate.sources.readers.opening import Numbered, Reading, Skip, whole_bytes
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


def read(reading: Reading) -> Numbered:
    """Yield the one document of a file."""
    language = language_of(reading.name)
    if language is None:
        yield 1, Skip("no programming language goes by that name")
        return
    data = whole_bytes(reading)
    if isinstance(data, str):
        yield 1, data
    elif b"\0" in data[:8000] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        yield 1, Skip("binary")
    elif is_minified(reading.name, data):
        yield 1, Skip("minified")
    elif not data.strip():
        yield 1, Skip("empty")
    else:
        try:
            text = reading.decoder.whole(data)
        except ValueError as error:
            yield 1, str(error)
        else:
            yield 1, {TEXT: text, "path": reading.label, "programming_language": language}


def is_minified(name: str, data: bytes) -> bool:
    """Whether a file is minified, by its name or the average length of its lines."""
    return ".min." in name or (
        len(data) > _SHORT_FILE and len(data) > _LONG_LINE * (data.count(b"\n") + 1)
    )


def language_of(name: str) -> str | None:
    """The programming language of a file by its name, or None."""
    suffix = PurePosixPath(name).suffix
    return _language(f"x{suffix}" if suffix else name)


@lru_cache(maxsize=4096)
def _language(name: str) -> str | None:
    from pygments.lexers import find_lexer_class_for_filename

    lexer = find_lexer_class_for_filename(name)
    return None if lexer is None else str(lexer.name)
