"""Markdown: a file is one document; its front matter, YAML or TOML, becomes columns.

The text stays as it was written, with its code blocks.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from curate import yamls
from curate.sources.readers.opening import Numbered, Reading, whole_text
from curate.text import TEXT

_FRONT = re.compile(
    r"\A(---|\+\+\+)[ \t]*\r?\n(.*?)^\1[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE
)


DEEPEST, LONGEST = 100, 1 << 16
"""Front matter that is nested deeper, or has more characters, stays in the text."""

_BLOCKS = re.compile(rf"^[ \t]*(?:[-?:][ \t]+){{{DEEPEST},}}", re.MULTILINE)


def read(reading: Reading) -> Numbered:
    """Yield the one document of a file."""
    try:
        front_matter, text = split(whole_text(reading))
    except ValueError as error:
        yield 1, str(error)
    else:
        yield 1, {**front_matter, TEXT: text, "path": reading.name}


def split(text: str) -> tuple[Mapping[str, Any], str]:
    """Split a text into the values of its front matter and the text that follows.

    Front matter that cannot be read stays in the text.
    """
    match = _FRONT.match(text)
    is_short = match is not None and len(match[2]) <= LONGEST
    values = _values(match[1], match[2]) if match and is_short else None
    if match is None or values is None:
        return {}, text
    return values, text[match.end() :].lstrip("\r\n")


def _values(fence: str, front: str) -> Mapping[str, Any] | None:
    import yaml

    if _is_deep(front):
        return None
    try:
        values = _parsed(fence, front)
    # The constructors of tagged values raise what Python's own do.
    except (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None
    return {str(key): value for key, value in values.items()} if isinstance(values, dict) else None


def _parsed(fence: str, front: str) -> Any:
    import yaml

    if fence == "---":
        return yaml.load(front, Loader=yamls.fast_loader())
    return tomllib.loads(front)


def _is_deep(front: str) -> bool:
    """Whether front matter nests so deep that its parser would take the square of the depth."""
    depth = 0
    for bracket in re.findall(r"[\[\]{}]", front):
        depth += 1 if bracket in "[{" else -1
        if depth > DEEPEST:
            return True
    keys = (line.partition("=")[0] for line in front.split("\n"))
    return _BLOCKS.search(front) is not None or any(key.count(".") > DEEPEST for key in keys)
