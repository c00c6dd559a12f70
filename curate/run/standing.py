"""Where every stage stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from curate import STAGES
from curate.errors import DataError
from curate.push.guidelines import rewritten
from curate.run.files import differences
from curate.run.recipe import Recipe
from curate.run.stages import PEOPLE, is_fresh, module, takes_part
from curate.workspace import Workspace


@dataclass(frozen=True)
class StageStatus:
    """Where a stage stands; `unused` says that the recipe does not need it."""

    stage: str
    state: Literal["fresh", "stale", "missing", "open", "unused"]
    at: str | None


def status(recipe: Recipe, workspace: Workspace) -> list[StageStatus]:
    """Return where every stage stands."""
    found = []
    for stage in STAGES:
        line = workspace.last_run(stage)
        found.append(
            StageStatus(stage, _state(recipe, workspace, stage), line["at"] if line else None)
        )
    return found


def for_next_round(recipe: Recipe, workspace: Workspace) -> tuple[str, ...]:
    """Return the settings that differ from those the newest round is frozen with."""
    asked = [each for each in workspace.rounds if each.purpose != "import"]
    if not asked or not recipe.asks_people():
        return ()
    frozen = {"sample": asked[-1].spec["sample"]}
    if asked[-1].push is not None:
        frozen["push"] = asked[-1].push["spec"]
    current = {stage: recipe.section(stage).settings() for stage in frozen}
    found = tuple(differences(frozen, current))
    if asked[-1].push is None:
        return found
    words = rewritten(workspace, recipe.push, asked[-1])
    return (*found, *(name for name in words if name not in found))


def _state(
    recipe: Recipe, workspace: Workspace, stage: str
) -> Literal["fresh", "stale", "missing", "open", "unused"]:
    if not takes_part(recipe, workspace, stage):
        return "unused"
    code = module(stage)
    if any(workspace.fingerprint(name) is None for name in code.WRITES):
        return "missing"
    if stage in PEOPLE:
        return "fresh" if workspace.round.closed or stage == "sample" else "open"
    try:
        return "fresh" if is_fresh(workspace, stage, recipe.section(stage)) else "stale"
    except DataError:
        return "stale"  # the files it was made from are gone
