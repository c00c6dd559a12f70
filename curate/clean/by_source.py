"""Settings that a recipe may give for each source: source → value, `*` for those not named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from curate.errors import RecipeError
from curate.workspace import Workspace

OTHERS = "*"

Value = TypeVar("Value")


def of_source(given: Mapping[str, Value], source: str) -> Value | None:
    """Return what holds for a source, None where nothing does."""
    return given.get(source, given.get(OTHERS))


def known(workspace: Workspace, sources: Iterable[str], where: str) -> None:
    """Raise RecipeError if the pool has no source of one of the names; `where` is the setting."""
    there = workspace.made("pool").facts["sources"]
    for source in sources:
        if source not in there and source != OTHERS:
            raise RecipeError(f"{where}: no source {source}", hint=f"there are: {', '.join(there)}")
