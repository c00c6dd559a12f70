"""`curate mix --dynamic`: show the weights that follow a log of losses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import console, storage
from curate.errors import RecipeError

if TYPE_CHECKING:
    from curate.mix.following import Followed, Following, Step
    from curate.workspace import Workspace

MOST_STEPS, MOST_GROUPS = 20, 8
"""A terminal shows so many steps, evenly spaced, and the groups whose weights move most."""


def followed(
    workspace: Workspace, log: Path, how: Following, output: Path | None, as_json: bool
) -> None:
    """Show the weights over a log, within the recipe's limits; `output` gets those to use."""
    from curate.mix.following import follow
    from curate.run import files
    from curate.run.meant import meant

    if output is not None and (output.is_dir() or not output.absolute().parent.is_dir()):
        raise RecipeError(f"{output} cannot be written", hint="name a file in a folder that exists")
    spec = files.of_workspace(workspace, meant(workspace)).mix
    result = follow(log, spec, how)
    if output is not None:
        storage.write_text(output, json.dumps(dict(result.weights), ensure_ascii=False) + "\n")
    if as_json:
        console.show(result, as_json=True)
    else:
        _show(result)


def _show(result: Followed) -> None:
    groups = _moving(result.steps)
    rows = [
        {"step": str(step.step), **{group: step.weights[group] for group in groups}}
        for step in _spaced(result.steps)
    ]
    console.table(rows, title=f"weights over time ({result.strategy})")
    if len(groups) < len(result.weights):
        console.note(f"{len(result.weights) - len(groups):,} more groups move less: --json has all")
    shares: list[dict[str, Any]] = [
        {"group": group, "share": share} for group, share in result.weights.items()
    ]
    console.table(shares, title="the shares to use")
    for note in result.notes:
        console.note(note)


def _spaced(steps: Sequence[Step]) -> list[Step]:
    """Some steps, the first and the last among them."""
    count = min(MOST_STEPS, len(steps))
    places = [round(n * (len(steps) - 1) / max(1, count - 1)) for n in range(count)]
    return [steps[place] for place in places]


def _moving(steps: Sequence[Step]) -> list[str]:
    """The groups to show, in their order."""
    groups = list(steps[0].weights)
    paths = {group: [step.weights[group] for step in steps] for group in groups}
    first = sorted(groups, key=lambda group: min(paths[group]) - max(paths[group]))[:MOST_GROUPS]
    return [group for group in groups if group in first]
