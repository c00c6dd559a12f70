"""The runs of a workspace's swarm that still hold, ready to be fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from curate.errors import DataError, MissingInput
from curate.swarm.allowed import spec_of
from curate.swarm.plan import Plan, missing, required_plan, today
from curate.swarm.results import FOLDER, read
from curate.swarm.runs import LEAST_RUNS, Runs, runs_of
from curate.swarm.standing import Standing, standing
from curate.workspace import Workspace

MOST = 5
"""So many runs are named in a note."""


@dataclass(frozen=True)
class Swarm:
    """A workspace's plan, its runs that hold, how the others stand, and how many are not trained.

    `notes` say what a person should know of them.
    """

    plan: Plan
    runs: Runs
    standing: Standing
    missing: int

    @property
    def notes(self) -> tuple[str, ...]:
        """Which runs hold, which were said in today's groups, which are not trained."""
        own, notes = self.standing, []
        if own.restated or own.refused:
            exact = len(own.runs) - len(own.restated)
            notes.append(
                f"{exact} runs hold as they are, {len(own.restated)} are said in today's groups, "
                f"{len(own.refused)} do not hold"
            )
        if own.restated:
            notes.append(f"groups were split or joined since runs {_named(own.restated)}")
        if own.joined:
            notes.append(
                f"runs {_named(own.joined)} drew the parts of a group that was joined since unlike "
                "their sizes: their losses are of another group of that name"
            )
        if self.missing:
            notes.append(f"{self.missing} runs of the plan are not trained: `curate swarm train`")
        return tuple(notes)


def of_workspace(workspace: Workspace, judge: Mapping[str, float]) -> Swarm:
    """The swarm of a workspace. Raises MissingInput without a plan or a run, DataError for few."""
    plan = required_plan(workspace)
    trained = read(workspace.root / FOLDER)
    if not trained:
        raise MissingInput("no run of the swarm is trained", hint="run `curate swarm train` first")
    spec_of(workspace)
    held = standing(trained, today(workspace, plan))
    if len(held.runs) < LEAST_RUNS:
        why = f"; run {held.refused[0].run} does not: {held.refused[0].why}" if held.refused else ""
        raise DataError(
            f"{len(held.runs)} of {len(trained)} runs hold, too few to judge a fit{why}",
            hint=f"plan and train at least {LEAST_RUNS}, better four for each group",
        )
    ids = [run.run for run in held.runs]
    shares = dict(zip(ids, held.shares, strict=True))
    losses = {run.run: run.losses for run in held.runs}
    return Swarm(plan, runs_of(shares, losses, judge), held, len(missing(plan, trained)))


def _named(runs: Sequence[str]) -> str:
    more = f" and {len(runs) - MOST} more" if len(runs) > MOST else ""
    return ", ".join(runs[:MOST]) + more
