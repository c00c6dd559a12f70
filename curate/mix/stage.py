"""Run `mix`: candidates, shares, limits, weights, and the draw."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from curate import storage, tables
from curate.errors import DataError, RecipeError
from curate.inference.drift import Drift
from curate.mix.before import ALL, Before, counting_by, read_before
from curate.mix.budgets import Unit
from curate.mix.part import Part, draw_part, join_parts
from curate.mix.preparing import Drawable, Keys, needs_scores, tokenizer_of, uses_scores
from curate.mix.spec import MixSpec
from curate.mixture.weights import NOISELESS, RANKED
from curate.stage import Cost, Stage, if_mixed
from curate.warning import StageWarning
from curate.workspace import Workspace

READS = ("pool", "clean", "scores")
WRITES = ("mix", "groups")


@dataclass(frozen=True)
class GroupResult:
    """One group of the mixture; `wanted` to `expected` are shares of tokens.

    `phase` is the part it belongs to; None without phases. `earlier` are the tokens that earlier
    exports drew, `tokens` those drawn now; `realised` and `epochs` are of both. `mean_tokens` is
    the mean length of the drawn lines, `supply_mean_tokens` that of the documents there are.
    """

    group: str
    phase: str | None
    wanted: float
    promised: float
    promised_low: float | None
    promised_high: float | None
    realised: float
    expected: float | None
    estimated: float | None
    estimated_low: float | None
    estimated_high: float | None
    labels: float | None
    earlier: int
    tokens: int
    documents: int
    epochs: float
    bound: str | None
    mean_tokens: float | None
    supply_mean_tokens: float


@dataclass(frozen=True)
class LimitResult:
    """A limit that the recipe names: its bounds and what was drawn under it, as shares of tokens.

    `side` is the one that binds; None if none does. `multiplier` is what KL would fall by for each
    share by which it is moved, `gain` what it would fall by without the limit, in nats.
    """

    limit: str
    phase: str | None
    low: float
    high: float
    share: float
    side: str | None
    multiplier: float | None
    gain: float | None


@dataclass(frozen=True)
class MixResult:
    """What was drawn, and from how much; `budget`, `tokens` and `supply` are in `unit`.

    With a budget in items or time they are these, as `notes` say; so are those of groups.
    `pool_tokens` are as the pool counts, `earlier` are the tokens that earlier exports drew.
    """

    budget: int
    tokens: int
    pool_tokens: int
    documents: int
    earlier: int
    supply: int
    groups: tuple[GroupResult, ...]
    limits: tuple[LimitResult, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[StageWarning, ...] = ()
    unit: Unit = "tokens"


def run(workspace: Workspace, spec: MixSpec) -> MixResult:
    """Draw the mixture from the kept documents outside the holdout.

    Raises DataError for a budget that buys no document, or that the limits do not allow.
    """
    workspace.tables.require(*READS[:2])
    keys = Keys.of(workspace)
    asked = [question.name for question in workspace.rounds.questions()]
    is_scored = workspace.tables.stored("scores") is not None
    for _, own in spec.parts():
        keys.check(own, () if is_scored else asked)
    workspace.tables.require(*_needed(spec))
    digests = inputs(workspace, spec)
    _refuse_drift(workspace, spec)
    with _scratch(workspace) as folder:
        before = _before(workspace, spec, folder)
        parts: list[Part] = []
        for number, (name, own) in enumerate(spec.parts()):
            drawable = Drawable(folder / f"{number:02}", before, counts=not spec.phases)
            parts.append(draw_part(workspace, own, keys, drawable, name))
            before = before.with_phase(parts[-1].folder)
        provenance = workspace.freshness.provenance(
            "mix",
            spec,
            digests,
            budget=sum(part.prepared.supply.budget for part in parts),
            unit=spec.unit,
            noiseless=all(own.within.strategy in NOISELESS for _, own in spec.parts()),
            limits=[row for part in parts for row in part.limits],
            offers=[] if spec.phases else [row for part in parts for row in part.offers],
            phases=[
                {"name": part.name, "budget": part.prepared.supply.budget}
                for part in parts
                if part.name
            ],
        )
        with workspace.tables.building("mix", provenance) as target:
            join_parts(workspace, parts, target)
    rows = [row for part in parts for row in part.rows]
    workspace.tables.write("groups", tables.rows("groups", rows), provenance)
    warnings = [warning for part in parts for warning in part.warnings]
    if not uses_scores(workspace, spec):
        warnings += workspace.freshness.left_out("mix", "scores")
    told = [own for place, own in enumerate(warnings) if own not in warnings[:place]]
    return _result(parts, tuple(told), spec.unit)


def _before(workspace: Workspace, spec: MixSpec, folder: Path) -> Before:
    """What earlier exports drew."""
    _refuse_own_export(workspace, spec)
    pools = str(workspace.tables.made("pool").facts["tokenizer"])
    tokenizer = tokenizer_of(workspace, spec) or pools
    return read_before(
        [workspace.path(name) for name in spec.earlier],
        None if spec.consumed == ALL else workspace.path(spec.consumed),
        folder,
        counting_by(tokenizer, spec.extra_tokens) if spec.earlier else {},
    )


def _refuse_own_export(workspace: Workspace, spec: MixSpec) -> None:
    """Raise RecipeError for an earlier part that the next export replaces."""
    own = (workspace.root / "export").resolve()
    for name in spec.earlier:
        if workspace.path(name).resolve().parent == own:
            raise RecipeError(
                f"mix.earlier: the next `curate export` replaces {name}",
                hint="copy the folder `export` to another place, and name that",
            )


def _refuse_drift(workspace: Workspace, spec: MixSpec) -> None:
    """Raise DataError if scores come from labels that do not look like the corpus.

    Only where the recipe asks for it, and the mixture uses scores.
    """
    if spec.drift == "warn" or not uses_scores(workspace, spec):
        return
    found = workspace.tables.made("scores").facts.get("drift")
    if found and Drift(**found).is_told:
        raise DataError(
            f"the labelled texts do not look like the corpus (p = {Drift(**found).p_value:.2g}): "
            "the scores may not hold for it",
            hint="sample another round at random, or set `mix: {drift: warn}`",
        )


def _needed(spec: MixSpec) -> tuple[str, ...]:
    """The tables that a mixture needs: scores only if groups or weights follow them."""
    return READS if needs_scores(spec) else READS[:2]


def inputs(workspace: Workspace, spec: MixSpec) -> dict[str, str | None]:
    """The fingerprints of what the mixture is made from; that of unused scores is None."""
    scores = workspace.tables.fingerprint("scores") if uses_scores(workspace, spec) else None
    return {
        **workspace.tables.fingerprints(READS[:2]),
        "scores": scores,
        **{name: storage.digest(sums) for name, sums in _files(workspace, spec).items() if sums},
    }


def _files(workspace: Workspace, spec: MixSpec) -> dict[str, list[str | None]]:
    """The sums of the files that the mixture is made from; that of a missing one is None."""
    weights = [own.between.weights.file for _, own in spec.parts() if own.between.weights]
    is_file = spec.tokenizer is not None and spec.tokenizer.endswith(".json")
    named = {
        "tokenizer": [spec.tokenizer] if is_file and spec.tokenizer else [],
        "weights": weights,
        "earlier": list(spec.earlier),
        "consumed": [] if spec.consumed == ALL else [spec.consumed],
    }
    paths = {key: [workspace.path(name) for name in names] for key, names in named.items()}
    return {
        key: [storage.sha256_of(path) if path.is_file() else None for path in own]
        for key, own in paths.items()
    }


@contextmanager
def _scratch(workspace: Workspace) -> Iterator[Path]:
    """A folder for scratch files, empty at the beginning and gone at the end."""
    folder = workspace.root / ".building" / "candidates"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


UNITS: dict[Unit, tuple[str, ...]] = {
    "items": ("budget, tokens and supply are in items: each document counts as one",),
    "seconds": ("budget, tokens and supply are in thousandths of a second of audio and video",),
}
"""What is told of a mixture whose budget is not in tokens."""


def _result(parts: Sequence[Part], warnings: tuple[StageWarning, ...], unit: Unit) -> MixResult:
    rows = [row for part in parts for row in part.rows]
    notes = [note for part in parts for note in part.notes]
    names = list(GroupResult.__dataclass_fields__)
    return MixResult(
        budget=sum(part.prepared.supply.budget for part in parts),
        tokens=sum(row["tokens"] for row in rows),
        pool_tokens=sum(row["pool_tokens"] for row in rows),
        documents=sum(row["documents"] for row in rows),
        earlier=sum(row["earlier"] for row in rows),
        supply=sum(parts[0].prepared.supply.groups.supply.values()),
        groups=tuple(GroupResult(**{name: row[name] for name in names}) for row in rows),
        limits=tuple(LimitResult(**row) for part in parts for row in part.limits),
        notes=tuple(dict.fromkeys([*UNITS.get(unit, ()), *notes])),
        warnings=warnings,
        unit=unit,
    )


STAGE = Stage(
    name="mix",
    spec=MixSpec,
    run=run,
    reads=READS,
    writes=WRITES,
    examples=("curate mix --groups source --budget 20M",),
    takes_part=if_mixed,
    needs=lambda workspace, spec: _needed(spec),
    inputs=inputs,
    bulk=True,
    cost=Cost(
        run,
        writes="mix",
        scratch=lambda spec: 160 if spec.limits else 90,
        grows=lambda spec: 16 if spec.within.strategy in (*NOISELESS, *RANKED) else 0,
    ),
)
