"""What to do next: the command that a status ends with, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from curate.rounds import Round
from curate.rounds.standing import overview
from curate.run.recipe import Recipe
from curate.run.standing import StageStatus
from curate.workspace import Workspace


@dataclass(frozen=True)
class Upcoming:
    """The next command, and the reason. `labels` says that people have to answer before it."""

    why: str
    command: str
    labels: bool = False


def upcoming(recipe: Recipe, workspace: Workspace, stages: Sequence[StageStatus]) -> Upcoming:
    """What to do next, by the states of the stages and the newest round."""
    by_state: dict[str, list[str]] = {}
    for stage in stages:
        by_state.setdefault(stage.state, []).append(stage.stage)
    if failed := by_state.get("failed"):
        line = workspace.ledger.last("stopped") or {"result": {}}
        why = f"{failed[0]} failed: {line['result'].get('message') or 'see above'}"
        return Upcoming(why, "curate run")
    asked = _asked(workspace)
    if asked is not None:
        return _of_round(asked)
    due = [*by_state.get("stale", ()), *by_state.get("missing", ()), *by_state.get("open", ())]
    if due:
        return Upcoming(f"not up to date: {', '.join(_in_order(due, stages))}", "curate run")
    if recipe.asks_people():
        return Upcoming(
            "everything is up to date; to ask about more texts", "curate run --next-round"
        )
    return Upcoming("everything is up to date; after a change of texts or recipe", "curate run")


def _asked(workspace: Workspace) -> Round | None:
    """The newest round that people are answering; None if none is open."""
    sent = [round for round in workspace.rounds.asking() if round.push and not round.closed]
    return sent[-1] if sent else None


def _of_round(current: Round) -> Upcoming:
    (state,) = overview([current])
    complete = f"{state.complete:,} of {state.tasks:,} texts complete"
    why = f"round {current.number}, at the last pull: {complete}"
    if state.complete == state.tasks:
        return Upcoming(why, "curate run")
    return Upcoming(why, "curate run", labels=True)


def _in_order(names: Sequence[str], stages: Sequence[StageStatus]) -> list[str]:
    return [stage.stage for stage in stages if stage.stage in names]
