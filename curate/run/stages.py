"""The eleven stages, and how one of them is run."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, Protocol, cast

from curate.run.recipe import Recipe
from curate.spec import Spec
from curate.storage import Provenance
from curate.workspace import Workspace

PEOPLE = ("sample", "push", "pull")


class Stage(Protocol):
    """What every stage's module exposes."""

    READS: tuple[str, ...]
    WRITES: tuple[str, ...]

    def run(self, workspace: Workspace, spec: Any) -> Any:
        """Read tables, call pure functions, write tables; return what happened."""
        ...


@dataclass(frozen=True)
class Step:
    """What the walk did at one stage; `waiting` is for people."""

    stage: str
    state: Literal["done", "fresh", "waiting"]
    result: Any = None
    seconds: float = 0.0


def module(stage: str) -> Stage:
    """Return a stage's module."""
    return cast(Stage, import_module(f"curate.{stage}"))


def run_stage(workspace: Workspace, stage: str, spec: Spec) -> Step:
    """Run one stage and write it into the ledger."""
    code = module(stage)
    started = time.perf_counter()
    made = _made(workspace, stage, spec)
    result = code.run(workspace, spec)
    seconds = time.perf_counter() - started
    workspace.record(made, code.WRITES, result, seconds)
    return Step(stage, "done", result, seconds)


def _made(workspace: Workspace, stage: str, spec: Spec) -> Provenance:
    code = module(stage)
    inputs = getattr(code, "inputs", None)
    known = inputs(workspace, spec) if inputs else workspace.inputs(code.READS)
    return workspace.provenance(stage, spec, known)


def is_fresh(workspace: Workspace, stage: str, spec: Spec) -> bool:
    """Whether running the stage again would change nothing."""
    return workspace.is_fresh(_made(workspace, stage, spec), module(stage).WRITES)


def takes_part(recipe: Recipe, workspace: Workspace, stage: str) -> bool:
    """Whether a stage belongs to the run: by its section, or by what there is to work on."""
    if stage in PEOPLE:
        return recipe.asks_people()
    answered = [each.purpose for each in workspace.rounds if each.fingerprint("annotations")]
    learnable = any(purpose != "pilot" for purpose in answered)
    if stage == "agree":
        return bool(answered)
    if stage == "score":
        return learnable
    if stage in ("mix", "export"):
        return "mix" in recipe.model_fields_set
    if stage == "evaluate":
        return learnable or "mix" in recipe.model_fields_set
    return True
