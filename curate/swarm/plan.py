"""The plan of a swarm: which mixtures to train, on what, and how each is measured.

It lies in swarm/plan.json.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from curate import storage
from curate.errors import DataError, MissingInput, RecipeError
from curate.proxies.making import start_of
from curate.proxies.spec import TransformerSpec
from curate.spec import Spec, validated
from curate.swarm.contents import Content, contents
from curate.swarm.results import FOLDER, Trained
from curate.swarm.standing import Today
from curate.swarm.texts import read_held_out
from curate.workspace import Workspace

PLAN = "plan.json"


class PlannedRun(Spec):
    """A run to train: its id, its number in the design, shares of groups, and seed."""

    run: str
    number: int
    shares: dict[str, float]
    seed: int


class Plan(Spec):
    """What is trained, and on what.

    `target_budget` is that of the mixture, `budget` that of a run, both in tokens. `part` is the
    part of the candidates that proxies read, `holdout` the ids of the texts that they are measured
    on. `prior` is by group, `contents` say what was in each group. `transformer` says how the proxy
    of that name is trained, and `start` names the weights that it starts from; it is None in plans
    of before there was a name, and for other proxies.
    """

    design: Literal["dirichlet", "space_filling"]
    seed: int
    proxy: str
    train_bytes: int
    holdout_bytes: int
    target_budget: int
    budget: float
    part: float
    max_epochs: int
    prior: dict[str, float]
    holdout: dict[str, tuple[str, ...]]
    contents: dict[str, Content]
    runs: tuple[PlannedRun, ...]
    transformer: TransformerSpec = TransformerSpec()
    start: str | None = None


def read_plan(workspace: Workspace) -> Plan | None:
    """The plan there is; None without one. Raises RecipeError for a file that is no plan."""
    path = workspace.root / FOLDER / PLAN
    try:
        data = storage.read_json(path)
    except DataError:
        raise RecipeError(f"{path} is not JSON", hint="plan again: `curate swarm plan`") from None
    return None if data is None else validated(Plan, data, where=str(path))


def required_plan(workspace: Workspace) -> Plan:
    """The plan there is. Raises MissingInput without one."""
    plan = read_plan(workspace)
    if plan is None:
        raise MissingInput("no swarm is planned here", hint="run `curate swarm plan` first")
    return plan


def today(workspace: Workspace, plan: Plan) -> Today:
    """What runs have to be of to hold today."""
    held = read_held_out(workspace, plan.holdout)
    return Today(contents(workspace), held.fingerprints, plan.budget, plan.proxy, plan.start)


def check_start(plan: Plan) -> None:
    """Raise RecipeError if runs would start from other weights today than those of the plan."""
    if plan.start != start_of(plan.proxy, plan.transformer):
        raise RecipeError(
            "transformers start from other weights than when this swarm was planned, and runs of "
            "both cannot be compared",
            hint="start again: `curate swarm plan --anew`",
        )


def missing(plan: Plan, trained: Sequence[Trained]) -> list[PlannedRun]:
    """The runs of the plan that are not trained yet."""
    done = {run.run for run in trained}
    return [run for run in plan.runs if run.run not in done]
