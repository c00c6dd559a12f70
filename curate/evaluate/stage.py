"""Run `evaluate`: predictions against people, and the mixture against plain ones."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, field

from curate import storage
from curate.errors import NothingToDo
from curate.evaluate.comparing import Compared, compare_arms
from curate.evaluate.contaminated import Contaminated
from curate.evaluate.epochs import Epochs
from curate.evaluate.online import Followed
from curate.evaluate.people import against_people
from curate.evaluate.spec import EvaluateSpec
from curate.evaluate.verdict import (
    ArmResult,
    Comparison,
    JudgeResult,
    story_of,
    verdict_on,
    warnings_of,
)
from curate.metrics import Classification
from curate.stage import Bounded, Cost, Stage, if_learnable, if_mixed
from curate.warning import StageWarning
from curate.workspace import Workspace

READS = ("pool", "clean", "scores", "labels", "mix", "groups")
WRITES = ("evaluate",)

WEIGHTS = "dynamic_weights.json"
"""Where the weights of the arm `dynamic` are written, for `between: {weights: {file}}`."""


@dataclass(frozen=True)
class EvaluateResult:
    """The models measured on labels, and the mixture measured by a proxy.

    `models` are by question; None where no label of it has a prediction out of fold.
    `holdout` counts the held-out documents that the proxy read of each source. `story` has a line
    for each judge, in words.
    """

    models: dict[str, Classification | None]
    proxy: tuple[ArmResult, ...]
    comparisons: tuple[Comparison, ...]
    holdout: dict[str, int]
    verdict: str
    judges: tuple[JudgeResult, ...] = ()
    epochs: tuple[Epochs, ...] = ()
    contaminated: Contaminated = field(default_factory=Contaminated)
    dynamic: Followed | None = None
    story: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[StageWarning, ...] = ()


def needed(workspace: Workspace, spec: EvaluateSpec) -> tuple[str, ...]:
    """The tables that must fit together: those of the mixture, or without one those of scores.

    An outdated mixture, of a recipe that no longer has one, does not stop the measure of scores.
    """
    mixture, predictions = ("mix", "groups"), ("scores", "labels")
    if _can_mix(workspace):
        measured: tuple[str, ...] = mixture
    else:
        measured = predictions if _can_compare(workspace) else (*mixture, *predictions)
    return ("pool", "clean", *filter(workspace.tables.stored, measured))


def inputs(workspace: Workspace, spec: EvaluateSpec) -> dict[str, str | None]:
    """The fingerprints of what is evaluated; scores and labels only if they are not outdated.

    With those of the files that the settings name.
    """
    predicted = ("scores", "labels") if _can_compare(workspace) else ()
    scored = ("scores",) if workspace.freshness.fits("scores") else ()
    names = {*needed(workspace, spec), *predicted, *scored}
    read = {name: workspace.tables.fingerprint(name) if name in names else None for name in READS}
    paths = {f"{where}: {name}": workspace.path(name) for where, name in spec.files()}
    sums = {name: storage.sha256_of(own) for name, own in paths.items() if own.is_file()}
    return {**read, **sums}


def _can_mix(workspace: Workspace) -> bool:
    """Whether there is a mixture of the present tables."""
    return workspace.freshness.fits("mix", "groups")


def _can_compare(workspace: Workspace) -> bool:
    """Whether there are predictions, and labels of which the heads were learned."""
    return workspace.freshness.fits("scores", "labels")


def run(workspace: Workspace, spec: EvaluateSpec) -> EvaluateResult:
    """Evaluate what there is: predictions if there are scores, the mixture if there is one.

    Raises NothingToDo where there is neither.
    """
    models: dict[str, Classification | None] = {}
    doubts = workspace.freshness.newer_answers("evaluate")
    if _can_compare(workspace):
        models = against_people(workspace)
    else:
        doubts += workspace.freshness.left_out("evaluate", "scores")
    if not _can_mix(workspace):
        doubts += workspace.freshness.left_out("evaluate", "mix")
    compared = Compared()
    verdict = "there is no mixture to compare"
    if _can_mix(workspace):
        compared = compare_arms(workspace, spec)
        verdict = "the mixture was not compared"
        if compared.arms:
            verdict = verdict_on(compared.comparisons, compared.holdout)
    elif not any(models.values()):
        raise NothingToDo("there is nothing to evaluate", hint="run `curate score` or `curate mix`")
    result = EvaluateResult(
        models,
        compared.arms,
        compared.comparisons,
        dict(compared.holdout),
        verdict,
        compared.judges,
        compared.epochs,
        compared.contaminated,
        compared.followed,
        story_of(compared.judges, compared.comparisons),
        compared.notes,
        (*doubts, *compared.warnings, *warnings_of(compared.comparisons)),
    )
    if result.dynamic is not None:
        storage.write_json(workspace.root / WEIGHTS, dict(result.dynamic.final))
    storage.write_json(workspace.root / "evaluate.json", asdict(result))
    return result


def _takes_part(sections: Collection[str], workspace: Workspace) -> bool:
    return if_learnable(sections, workspace) or if_mixed(sections, workspace)


def _least(spec: EvaluateSpec) -> EvaluateSpec:
    """The settings with which the proxy reads the least."""
    return spec.model_copy(update={"train_bytes": 10_000, "holdout_bytes": 1_000})


STAGE = Stage(
    name="evaluate",
    spec=EvaluateSpec,
    run=run,
    reads=READS,
    writes=WRITES,
    examples=("curate evaluate --seeds 5",),
    takes_part=_takes_part,
    needs=needed,
    inputs=inputs,
    optional=True,
    cost=Cost(run, writes="evaluate.json", bounded=Bounded(_least, lambda spec: spec.train_bytes)),
)
