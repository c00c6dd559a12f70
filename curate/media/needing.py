"""The packages of the extra `media`, imported where they are needed."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from curate.errors import CurateError

PACKAGES = {"PIL": "pillow", "av": "av", "imagehash": "imagehash"}
"""Modules whose package has another name, or that are named often."""


INSTALLS = 'pip install "curate[media]"'
"""The line that installs them."""

READ_BY = {"image": "PIL", "audio": "av", "video": "av"}
"""The module that reads a kind of media."""


@lru_cache(maxsize=8)
def lacking(kind: str) -> str:
    """Why files of a kind are not read: the package is not installed; else empty."""
    module = READ_BY.get(kind)
    if module is None or find_spec(module) is not None:
        return ""
    return f"{kind} needs the package {PACKAGES[module]}: {INSTALLS}"


def needed(module: str) -> Any:
    """Import a module of the extra `media`. CurateError with the line that installs it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != module.partition(".")[0]:
            raise
        package = PACKAGES.get(module.partition(".")[0], module.partition(".")[0])
        raise CurateError(
            f"images, audio and video need the package {package}, which is not installed",
            hint=INSTALLS,
        ) from None
