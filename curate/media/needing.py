"""The packages of the extra `media`, imported where they are needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from curate.extras import require


def needed(module: str) -> Any:
    """Import a module of an optional package. CurateError with the line that installs it."""
    require(module.partition(".")[0], "a document with media")
    return import_module(module)
