"""The packages of the extra `media`, imported where they are needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from curate.errors import CurateError

PACKAGES = {"PIL": "pillow", "av": "av", "imagehash": "imagehash"}
"""Modules whose package has another name, or that are named often."""


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
            hint='pip install "curate[media]"',
        ) from None
