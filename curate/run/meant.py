"""What the command line overrides: how long it lasts, and when it is undone.

Overrides of `push` that a round is opened with last until it has been sent. All others are for one
command.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from curate.run.recipe import Recipe
from curate.run.stages import every, takes_part
from curate.stage import Stage
from curate.storage import Provenance
from curate.workspace import Workspace


def remember(workspace: Workspace, number: int, overrides: Sequence[str]) -> None:
    """Write down the overrides of `push`, before the round exists, because its push may fail."""
    push_overrides = [override for override in overrides if override.startswith("push.")]
    if push_overrides:
        provenance = Provenance("meant", {"set": push_overrides}, {}, "")
        workspace.ledger.append(provenance, {}, {"round": number}, 0.0)


def meant(workspace: Workspace) -> tuple[str, ...]:
    """The overrides of `push` that the newest round was opened with; none once it is sent."""
    rounds = workspace.rounds.asking()
    line = workspace.ledger.last("meant")
    if not rounds or line is None or rounds[-1].push is not None or rounds[-1].closed:
        return ()
    return tuple(line["spec"]["set"]) if line["result"]["round"] == rounds[-1].number else ()


def names_of(overrides: Sequence[str], stage: str) -> list[str]:
    """The dotted names, within its section, of the settings of a stage that are overridden."""
    names = (override.partition("=")[0].partition(".") for override in overrides)
    return list(dict.fromkeys(name for section, _, name in names if section == stage and name))


def undone(recipe: Recipe, workspace: Workspace) -> Iterator[str]:
    """Yield a line for each setting that the last run of a stage had from the command line alone.

    Stages that ask people are left out: their rounds keep what they were made with.
    """
    for stage in every():
        if not stage.asks_people and takes_part(recipe, workspace, stage.name):
            yield from undone_at(stage, recipe.section(stage.name).settings(), workspace)


def undone_at(stage: Stage[Any], settings: Any, workspace: Workspace) -> Iterator[str]:
    """Yield such lines of one stage, which will run with `settings`."""
    line = workspace.ledger.last(stage.name) or {}
    for name in line.get("overridden", ()):
        before, after = _at(line["spec"], name), _at(settings, name)
        if before != after:
            yield (
                f"{stage.name}.{name} was {_shown(before)} in the last run, by the command line; "
                f"now it is {_shown(after)}"
            )


def _at(settings: Any, name: str) -> Any:
    for step in name.split("."):
        settings = settings.get(step) if isinstance(settings, dict) else None
    return settings


def _shown(value: Any) -> str:
    return "not set" if value is None else str(value)
