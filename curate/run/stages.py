"""The eleven stages by name, and how one of them is run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

from curate import STAGES
from curate.errors import CurateError, DataError, NothingToDo
from curate.run.recipe import Recipe
from curate.spec import Spec
from curate.stage import Stage
from curate.storage import Provenance
from curate.warning import StageWarning
from curate.workspace import Workspace


@dataclass(frozen=True)
class Step:
    """What the walk did at one stage; `waiting` means that people have not finished.

    `warnings` are those of the stage's newest run, also if it is `fresh`.
    """

    stage: str
    state: Literal["done", "fresh", "waiting", "skipped", "failed"]
    result: Any = None
    seconds: float = 0.0
    warnings: tuple[StageWarning, ...] = ()


def find(name: str) -> Stage[Any]:
    """The stage of that name. It is imported only now: a command loads no other stage."""
    stage: Stage[Any] = import_module(f"curate.{name}.stage").STAGE
    return stage


def every() -> tuple[Stage[Any], ...]:
    """All stages, in the order in which data flows through them."""
    return tuple(map(find, STAGES))


def maker(table: str) -> str | None:
    """The name of the stage that makes a table or file; None if no stage does."""
    return next((stage.name for stage in every() if table in stage.writes), None)


def run_stage(
    workspace: Workspace, name: str, spec: Spec, *, overridden: Sequence[str] = ()
) -> Step:
    """Run one stage and write it into the ledger, also that it failed.

    `overridden` are the dotted names of settings that came from the command line.
    """
    stage = find(name)
    started = time.perf_counter()
    try:
        workspace.freshness.check(*stage.required(workspace, spec))
        provenance = _provenance(workspace, stage, spec)
        result = stage.run(workspace, spec)
    except CurateError as error:
        error.stage = name
        workspace.ledger.append_stop(name, "failed", error)
        raise
    seconds = time.perf_counter() - started
    outputs = workspace.tables.fingerprints(stage.writes)
    workspace.ledger.append(provenance, outputs, result, seconds, overridden=overridden)
    return Step(name, "done", result, seconds, workspace.lineage.warnings(name))


def fresh(workspace: Workspace, name: str) -> Step:
    """The step of a stage that is up to date; it has the warnings of its newest run.

    If it has failed since then, with other settings, that is over.
    """
    if workspace.lineage.stop(name):
        workspace.ledger.end_stop(name)
    return Step(name, "fresh", warnings=workspace.lineage.warnings(name))


def skip(workspace: Workspace, name: str, reason: NothingToDo) -> Step:
    """Write into the ledger that a stage was skipped, and why."""
    workspace.ledger.append_stop(name, "skipped", reason)
    return Step(name, "skipped", warnings=workspace.lineage.warnings(name))


def is_fresh(workspace: Workspace, name: str, spec: Spec) -> bool:
    """Whether running the stage again would change nothing; False if its files are gone."""
    stage = find(name)
    try:
        provenance = _provenance(workspace, stage, spec)
    except DataError:
        return False
    return workspace.freshness.is_fresh(provenance, stage.writes)


def takes_part(recipe: Recipe, workspace: Workspace, name: str) -> bool:
    """Whether a stage belongs to the run, by the recipe's sections and the answers there are."""
    return find(name).takes_part(recipe.model_fields_set, workspace)


def _provenance(workspace: Workspace, stage: Stage[Any], spec: Spec) -> Provenance:
    return workspace.freshness.provenance(stage.name, spec, stage.fingerprints(workspace, spec))
