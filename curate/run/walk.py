"""The whole recipe as one closed model, and the walk through its stages.

`walk` does what is stale, skips what is fresh, and stops politely where people are needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from curate import STAGES
from curate.run.asking import ask_people
from curate.run.recipe import Recipe
from curate.run.stages import PEOPLE, Step, is_fresh, run_stage, takes_part
from curate.workspace import Workspace


def walk(
    recipe: Recipe,
    workspace: Workspace,
    *,
    next_round: bool = False,
    overrides: Sequence[str] = (),
    started: Callable[[str], None] = lambda stage: None,
) -> Iterator[Step]:
    """Run every stage that is stale, in order, yielding each as it ends.

    The last step is `waiting` where people have not finished. `overrides` are those that the
    recipe was loaded with: what they say of `push` lasts until the round has been sent.
    """
    for stage in STAGES:
        if stage == "sample" and recipe.asks_people():
            for step in ask_people(recipe, workspace, next_round, overrides, started):
                yield step
                if step.state == "waiting":
                    return
        if stage in PEOPLE or not takes_part(recipe, workspace, stage):
            continue
        spec = recipe.section(stage)
        if is_fresh(workspace, stage, spec):
            yield Step(stage, "fresh")
        else:
            started(stage)
            yield run_stage(workspace, stage, spec)
