"""The status of every stage, and the settings that wait for the next round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from curate.errors import RecipeError
from curate.push.guidelines import rewritten
from curate.run.files import differences
from curate.run.recipe import Recipe
from curate.run.stages import every, is_fresh, takes_part
from curate.stage import Stage
from curate.workspace import Workspace

State = Literal["fresh", "stale", "missing", "open", "unused", "skipped", "failed"]


@dataclass(frozen=True)
class StageStatus:
    """The state of a stage and its last run.

    `unused` means that the recipe does not need it; `skipped` and `failed` that the last try made
    nothing. `result` is what the last run made, as the ledger keeps it.
    """

    stage: str
    state: State
    at: str | None
    result: Mapping[str, Any] | None = None


def status(recipe: Recipe, workspace: Workspace) -> list[StageStatus]:
    """The status of every stage, in the order of the run."""
    last_runs = [(stage, workspace.ledger.last(stage.name)) for stage in every()]
    return [
        StageStatus(stage.name, _state(recipe, workspace, stage), line["at"], line["result"])
        if line
        else StageStatus(stage.name, _state(recipe, workspace, stage), None)
        for stage, line in last_runs
    ]


def for_next_round(recipe: Recipe, workspace: Workspace) -> tuple[str, ...]:
    """The names of the settings that differ from those the newest round is frozen with."""
    rounds = workspace.rounds.asking()
    if not rounds or not recipe.asks_people():
        return ()
    newest = rounds[-1]
    frozen = {"sample": newest.spec["sample"]}
    if newest.push is not None:
        frozen["push"] = newest.push["spec"]
    current = {stage: recipe.section(stage).settings() for stage in frozen}
    # What has no effect is left out of settings, also of those that older rounds hold.
    known = {stage: {name: frozen[stage].get(name) for name in current[stage]} for stage in frozen}
    settings = tuple(differences(known, current))
    if newest.push is None:
        return settings
    files = rewritten(workspace, recipe.push, newest)
    return (*settings, *(name for name in files if name not in settings))


def refuse_for_next_round(recipe: Recipe, workspace: Workspace, overrides: Sequence[str]) -> None:
    """Raise RecipeError for an override of what the newest round is frozen with."""
    names = [override.partition("=")[0] for override in overrides]
    for name in for_next_round(recipe, workspace):
        if any(
            f"{name}.".startswith(f"{own}.") or f"{own}.".startswith(f"{name}.") for own in names
        ):
            number = workspace.rounds.asking()[-1].number
            raise RecipeError(
                f"--set: {name} has no effect on round {number}, which is frozen",
                hint="leave it out, or add --next-round once the round has ended",
            )


def _state(recipe: Recipe, workspace: Workspace, stage: Stage[Any]) -> State:
    if not takes_part(recipe, workspace, stage.name):
        return "unused"
    if any(workspace.tables.fingerprint(name) is None for name in stage.writes):
        return workspace.lineage.stop(stage.name) or "missing"
    if stage.asks_people:
        asking = workspace.rounds.asking()
        if not asking:  # the tables are those of imports
            return "missing"
        return "fresh" if asking[-1].closed or stage.name == "sample" else "open"
    if is_fresh(workspace, stage.name, recipe.section(stage.name)):
        return "fresh"
    return workspace.lineage.stop(stage.name) or "stale"
