"""Run `evaluate`: predictions against people, and the mixture against plain ones."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, field

from curate import storage
from curate.errors import DataError, NothingToDo
from curate.evaluate.bias.telling import Bias, find_bias
from curate.evaluate.comparing import Compared, compare_arms
from curate.evaluate.contaminated import Contaminated
from curate.evaluate.epochs import Epochs
from curate.evaluate.online import Followed
from curate.evaluate.people import AgainstPeople, QuestionMeasures, against_people
from curate.evaluate.spec import EvaluateSpec
from curate.evaluate.trainings import TrainingResult
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

    `models` are by question; None where no label of it has a prediction out of fold. `people` are
    the measures of every question beside the trivial baseline, with their intervals.
    `holdout` counts the held-out documents that the proxy read of each source. `trainings` are
    those of a proxy that is trained. `story` has a line for each judge, in words. `bias` are the
    largest differences between groups of documents; `evaluate.json` has all of them.
    """

    models: dict[str, Classification | None]
    proxy: tuple[ArmResult, ...]
    comparisons: tuple[Comparison, ...]
    holdout: dict[str, int]
    verdict: str
    trainings: tuple[TrainingResult, ...] = ()
    judges: tuple[JudgeResult, ...] = ()
    epochs: tuple[Epochs, ...] = ()
    contaminated: Contaminated = field(default_factory=Contaminated)
    dynamic: Followed | None = None
    story: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[StageWarning, ...] = ()
    people: dict[str, QuestionMeasures] = field(default_factory=dict)
    bias: tuple[str, ...] = ()


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
    against = AgainstPeople({}, {})
    doubts = workspace.freshness.newer_answers("evaluate")
    if _can_compare(workspace):
        against = against_people(workspace)
    else:
        doubts += workspace.freshness.left_out("evaluate", "scores")
    if not _can_mix(workspace):
        doubts += workspace.freshness.left_out("evaluate", "mix")
    bias = _bias(workspace, spec)
    compared = Compared()
    verdict = "there is no mixture to compare"
    if _can_mix(workspace):
        compared = compare_arms(workspace, spec)
        verdict = "the mixture was not compared"
        if compared.arms:
            verdict = verdict_on(compared.comparisons, compared.holdout, spec.proxy)
    elif not any(against.models.values()) and not against.measured:
        raise NothingToDo("there is nothing to evaluate", hint="run `curate score` or `curate mix`")
    result = EvaluateResult(
        against.models,
        compared.arms,
        compared.comparisons,
        dict(compared.holdout),
        verdict,
        compared.trainings,
        compared.judges,
        compared.epochs,
        compared.contaminated,
        compared.followed,
        story_of(compared.judges, compared.comparisons),
        tuple(own.words for own in compared.notes),
        (*doubts, *compared.warnings, *warnings_of(compared.comparisons)),
        people=against.measured,
        bias=bias.largest(),
    )
    if result.dynamic is not None:
        storage.write_json(workspace.root / WEIGHTS, dict(result.dynamic.final))
    said = {
        "about": {name: asdict(own) for name, own in compared.about.items()},
        "notes": [asdict(own) for own in compared.notes],
    }
    written = {**asdict(result), "bias": asdict(bias), "said": said}
    storage.write_json(workspace.root / "evaluate.json", written)
    return result


def _bias(workspace: Workspace, spec: EvaluateSpec) -> Bias:
    """Who is kept, scored and drawn, by the tables that there are."""
    scores, mix = _can_compare(workspace), _can_mix(workspace)
    return find_bias(workspace, spec.bias, scores=scores, mix=mix) if scores or mix else Bias()


def _takes_part(sections: Collection[str], workspace: Workspace) -> bool:
    return if_learnable(sections, workspace) or if_mixed(sections, workspace)


def _least(spec: EvaluateSpec) -> EvaluateSpec:
    """The settings with which the proxy reads the least."""
    return spec.model_copy(update={"train_bytes": 10_000, "holdout_bytes": 1_000})


def _foreseen(workspace: Workspace, spec: EvaluateSpec) -> EvaluateResult:
    """Do the work of `run` on a probe. Raises DataError for a proxy that is trained.

    Its training takes as long on a probe as on the whole.
    """
    if spec.proxy != "ngram":
        raise DataError(f"a {spec.proxy} would have to be trained {spec.seeds} times an arm")
    return run(workspace, spec)


STAGE = Stage(
    name="evaluate",
    spec=EvaluateSpec,
    run=run,
    reads=READS,
    writes=WRITES,
    examples=("curate evaluate --seeds 5", "curate evaluate --proxy transformer"),
    takes_part=_takes_part,
    needs=needed,
    inputs=inputs,
    optional=True,
    cost=Cost(
        _foreseen,
        writes="evaluate.json",
        bounded=Bounded(_least, lambda spec: spec.train_bytes),
    ),
)
