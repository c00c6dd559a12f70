"""Packages that hold weights: where their files lie."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from curate.extras import require


def folder_of(module: str, what: str) -> Path:
    """The folder of a package, which is not imported. Raises CurateError if it is missing.

    `what` needs it, as in `the set speech`.
    """
    require(module, what)
    spec = find_spec(module)
    assert spec is not None
    return Path(next(iter(spec.submodule_search_locations or ())))
