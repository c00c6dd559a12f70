"""Markdown: a file is one document; its front matter, YAML or TOML, becomes columns.

The text stays as it was written, code blocks and all.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from curate.pool.readers.opening import Numbered, Reading, whole_text
from curate.text import TEXT

_FRONT = re.compile(
    r"\A(---|\+\+\+)[ \t]*\r?\n(.*?)^\1[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE
)


def read(given: Reading) -> Numbered:
    """Yield the one document of a file."""
    try:
        about, text = split(whole_text(given))
    except ValueError as error:
        yield 1, str(error)
    else:
        yield 1, {**about, TEXT: text, "path": given.name}


def split(text: str) -> tuple[Mapping[str, Any], str]:
    """Return the front matter's values, and the text that follows it.

    What only looks like front matter, and cannot be read as such, stays in the text.
    """
    found = _FRONT.match(text)
    values = _values(found[1], found[2]) if found else None
    if found is None or values is None:
        return {}, text
    return values, text[found.end() :].lstrip("\r\n")


def _values(fence: str, front: str) -> Mapping[str, Any] | None:
    import yaml

    try:
        values = yaml.safe_load(front) if fence == "---" else tomllib.loads(front)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return {str(key): value for key, value in values.items()} if isinstance(values, dict) else None
