"""Settings that a recipe may give by source: source → value, `*` for all other sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from curate.names import unknown
from curate.workspace import Workspace

OTHERS = "*"

Value = TypeVar("Value")


def of_source(settings: Mapping[str, Value], source: str) -> Value | None:
    """The setting of a source, else that of `*`, else None."""
    return settings.get(source, settings.get(OTHERS))


def check_sources(workspace: Workspace, sources: Iterable[str], where: str) -> None:
    """Raise RecipeError if the pool lacks one of the sources; `where` names the setting."""
    pool_sources = workspace.tables.made("pool").facts["sources"]
    for source in sources:
        if source not in pool_sources and source != OTHERS:
            raise unknown(f"{where}: no source {source}", source, pool_sources)
