"""The packages of the extra `media`, imported where they are needed."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any

from curate.extras import install_line, is_there, require

READ_BY = {"image": "PIL", "audio": "av", "video": "av"}
"""The module that reads a kind of media."""


@lru_cache(maxsize=8)
def lacking(kind: str) -> str:
    """Why files of a kind are not read: the package is not installed; else empty."""
    package = READ_BY.get(kind)
    if package is None or is_there(package):
        return ""
    return f"{kind} needs the package {package}: {install_line(package)}"


def needed(module: str) -> Any:
    """Import a module of an optional package. CurateError with the line that installs it."""
    require(module.partition(".")[0], "a document with media")
    return import_module(module)
