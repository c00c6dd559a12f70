"""The walk through the stages: it runs stale ones, skips fresh ones, and waits for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from curate.run.asking import ask_people
from curate.run.recipe import Recipe
from curate.run.stages import Step, every, is_fresh, run_stage, takes_part
from curate.workspace import Workspace


def walk(
    recipe: Recipe,
    workspace: Workspace,
    *,
    next_round: bool = False,
    overrides: Sequence[str] = (),
    started: Callable[[str], None] = lambda stage: None,
) -> Iterator[Step]:
    """Run every stage that is stale, in order, and yield each step as it ends.

    The last step is `waiting` if people have not finished. `overrides` are those that the recipe
    was loaded with; those of `push` last until the round has been sent. `started` is called with
    the name of each stage that is about to run.
    """
    people_asked = False
    for stage in every():
        if not takes_part(recipe, workspace, stage.name):
            continue
        if stage.asks_people:
            if people_asked:
                continue
            people_asked = True
            for step in ask_people(recipe, workspace, next_round, overrides, started):
                yield step
                if step.state == "waiting":
                    return
        elif is_fresh(workspace, stage.name, recipe.section(stage.name)):
            yield Step(stage.name, "fresh")
        else:
            started(stage.name)
            yield run_stage(workspace, stage.name, recipe.section(stage.name))
