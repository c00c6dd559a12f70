"""Run `mix`: candidates, shares, limits, weights, and the draw."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import tables
from curate.errors import DataError
from curate.inference.drift import Drift
from curate.mix import undecided
from curate.mix.audit import group_rows
from curate.mix.candidates import (
    COLUMNS,
    needs_quality,
    needs_scores,
    scan,
    ties_of,
    uses_scores,
)
from curate.mix.doubts import doubts, unfilled_shares, unused_limits
from curate.mix.limiting import limits_of, limits_without_group
from curate.mix.passes import (
    Fifths,
    Order,
    Place,
    find_boundaries,
    groups_of,
    places_of,
    with_abstained,
)
from curate.mix.spec import MixSpec, tokens_of
from curate.mix.writing import Drawn, Write, write_ranks
from curate.mixture.boxes import Shares, project_groups
from curate.mixture.drawing import Cut, Plan, closed, cut
from curate.mixture.groups import Groups
from curate.mixture.limits import Infeasible
from curate.mixture.selection import Boundary, Target
from curate.mixture.shares import STRATEGIES, share_of, unfilled
from curate.mixture.weights import NOISELESS, Qualities
from curate.stage import Cost, Stage, if_mixed
from curate.warning import StageWarning
from curate.workspace import Workspace
from curate.workspace.predictions import predicted_questions

if TYPE_CHECKING:
    import pandas as pd

READS = ("pool", "clean", "scores")
WRITES = ("mix", "groups")


@dataclass(frozen=True)
class GroupResult:
    """One group of the mixture; `wanted` to `expected` are shares of tokens."""

    group: str
    wanted: float
    promised: float
    realised: float
    expected: float | None
    documents: int
    epochs: float
    bound: str | None


@dataclass(frozen=True)
class MixResult:
    """What was drawn, and from how much; `budget`, `tokens` and `supply` are in tokens."""

    budget: int
    tokens: int
    documents: int
    supply: int
    groups: tuple[GroupResult, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[StageWarning, ...] = ()


def run(workspace: Workspace, spec: MixSpec) -> MixResult:
    """Draw the mixture from the kept documents outside the holdout.

    Raises DataError for a budget that buys no document, or that the limits do not allow.
    """
    workspace.tables.require(*_needed(spec))
    digests = inputs(workspace, spec)
    _refuse_drift(workspace, spec)
    with _scratch(workspace) as folder:
        pieces = scan(workspace, spec, folder)
        groups = groups_of(pieces)
        supply = sum(groups.supply.values())
        budget = tokens_of(spec.budget, supply)
        if budget < 1:
            raise DataError(f"a budget of {spec.budget} is less than one token", hint="raise it")
        provenance = workspace.freshness.provenance(
            "mix", spec, digests, budget=budget, noiseless=spec.within.strategy in NOISELESS
        )
        tie_names = ties_of(workspace, spec)
        offered = _offered(workspace, spec, tie_names)
        unused, absent = limits_without_group(spec, groups, offered), _absent(spec, groups, offered)
        ties = undecided.undecided(groups, spec.groups, tie_names)
        wanted = _wanted(groups, spec, ties)
        projected = _projected(wanted, groups, budget, spec)
        drawing = _drawing(workspace, spec, places_of(pieces, groups), groups, projected, budget)
        with workspace.tables.building("mix", provenance) as target:
            drawn = _written(workspace, spec, groups, drawing, target)
    rows = group_rows(groups, drawn, wanted, projected)
    workspace.tables.write("groups", tables.rows("groups", rows), provenance)
    about_names = (*unfilled_shares(absent), *unused_limits(unused))
    warnings = (*_doubts(workspace, spec, groups, rows, budget), *about_names)
    return _result(budget, supply, rows, _notes(groups, rows, spec, ties), warnings)


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
    return {**workspace.tables.fingerprints(READS[:2]), "scores": scores}


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


def _keys(spec: MixSpec, groups: Groups) -> pd.DataFrame:
    """The values of every group, a row each, by the keys that make groups."""
    import pandas as pd

    return pd.DataFrame(list(groups.values), list(groups.names), columns=pd.Index(spec.groups))


def _absent(
    spec: MixSpec, groups: Groups, offered: Mapping[int, Sequence[str]]
) -> dict[str, list[str]]:
    """The values of `between.shares` without a candidate, by key. Raises DataError."""
    by_key = {spec.groups[place]: values for place, values in offered.items()}
    return unfilled(_keys(spec, groups), spec.between.shares or {}, by_key)


def _wanted(groups: Groups, spec: MixSpec, ties: Sequence[str]) -> dict[str, float]:
    """The share that each group is asked to have, before the limits.

    `ties` are the groups that people left undecided.
    """
    import pandas as pd

    names, between = list(groups.names), spec.between
    supply = pd.Series(groups.supply)
    if between.shares is not None:
        return share_of(_keys(spec, groups), supply, between.shares)
    settled = [name for name in names if name not in ties] or names
    means = pd.Series(groups.mean_qualities(), names)[settled]
    strategy = STRATEGIES[between.strategy]
    wanted = strategy(supply[settled], means, alpha=between.alpha, beta=between.beta)
    return (
        undecided.with_their_supply(wanted, supply, ties) if len(settled) < len(names) else wanted
    )


def _projected(wanted: dict[str, float], groups: Groups, budget: int, spec: MixSpec) -> Shares:
    """The shares within the limits. Raises DataError where there are none."""
    limits, supply = limits_of(spec, groups), groups.supply
    try:
        return project_groups(
            wanted,
            low={group: limit.min for group, limit in limits.items()},
            high={group: limit.max for group, limit in limits.items()},
            supply={group: spec.max_epochs * supply[group] / budget for group in wanted},
        )
    except Infeasible as error:
        raise DataError(
            f"a budget of {budget:,} tokens cannot be met: {error}; the candidates hold "
            f"{sum(supply.values()):,} tokens, each drawn {spec.max_epochs} times at most",
            hint=error.hint,
        ) from None


@dataclass(frozen=True)
class _Drawing:
    """How every group is drawn, in the order of their numbers."""

    places: list[Place]
    order: Order
    cuts: tuple[Cut, ...]
    fifths: Fifths


def _drawing(
    workspace: Workspace,
    spec: MixSpec,
    places: list[Place],
    groups: Groups,
    projected: Shares,
    budget: int,
) -> _Drawing:
    """Find where each group's draw ends, and where its fifths of quality begin.

    Raises DataError where the budget buys no document.
    """
    within = spec.within
    order = Order(within.strategy, within.temperature, Qualities.of(groups.facts))
    if any(facts.abstained for facts in groups.facts):
        order = with_abstained(workspace.engine, places, order)
    targets = [projected.shares[name] * budget for name in groups.names]
    plans = [
        Plan.of(target, facts.tokens, spec.max_epochs)
        for target, facts in zip(targets, groups.facts, strict=True)
    ]
    rests = [(number, plan.rest) for number, plan in enumerate(plans) if plan.rest is not None]
    sought = [Target(number, rest) for number, rest in rests]
    with workspace.watch("finding the cut", None):
        located = find_boundaries(
            workspace.engine, places, order, [*sought, *Fifths.targets(groups.facts)]
        )
    ends = {number: end for (number, _), end in zip(rests, located, strict=False)}
    cuts = _cuts(plans, targets, ends)
    if not any(own.tokens for own in cuts):
        raise DataError(
            f"a budget of {budget:,} tokens is not worth one document", hint="raise `mix.budget`"
        )
    return _Drawing(places, order, cuts, Fifths.of(groups.facts, located[len(sought) :]))


def _cuts(
    plans: Sequence[Plan], targets: Sequence[float], ends: Mapping[int, Boundary | None]
) -> tuple[Cut, ...]:
    """The cut of each group, in the order of their names; each makes up for those before it."""
    cuts, carry = [], 0.0
    for number, (plan, target) in enumerate(zip(plans, targets, strict=True)):
        own = cut(plan, ends[number], carry) if number in ends else closed(plan)
        carry += own.tokens - target
        cuts.append(own)
    return tuple(cuts)


def _written(
    workspace: Workspace, spec: MixSpec, groups: Groups, drawing: _Drawing, folder: Path
) -> Drawn:
    """Write the table `mix`; the sums of what was drawn."""
    if drawing.order.strategy in NOISELESS:
        write_ranks(drawing.places, drawing.order)
    names = dict(enumerate(path.name for path in workspace.tables.shards("clean")))
    write = Write(folder, names, spec.groups, groups, drawing.order, drawing.cuts, drawing.fifths)
    parts: dict[int, Drawn] = {}
    documents = sum(facts.documents for facts in groups.facts)
    with workspace.watch("drawing", documents) as advance:
        for place, drawn in workspace.engine.each(write, drawing.places):
            parts[place] = drawn
            advance(int(drawn.candidates))
    return reduce(Drawn.joined, (parts[place] for place in sorted(parts)))


def _notes(
    groups: Groups, rows: Sequence[Mapping[str, Any]], spec: MixSpec, ties: Sequence[str]
) -> tuple[str, ...]:
    notes = []
    unknown = [
        name for name, facts in zip(groups.names, groups.facts, strict=True) if not facts.known
    ]
    if unknown and spec.between.strategy == "quality":
        notes.append(f"no document of {', '.join(unknown)} has a quality: it counts as average")
    if abstained := sum(facts.abstained for facts in groups.facts):
        notes.append(
            f"{abstained:,} candidates abstained: their quality is the mean, and their weight "
            "that of their group"
        )
    if tied := undecided.documents(groups, ties):
        notes.append(f"{tied} candidates are undecided: they are a group of their own")
    moved = [row["group"] for row in rows if row["bound"]]
    if moved:
        notes.append(f"limits moved {', '.join(moved)}")
    return tuple(notes)


def _offered(
    workspace: Workspace, spec: MixSpec, ties: Mapping[str, str] = {}
) -> dict[int, Sequence[str]]:
    """The values that questions and sources may have, by the place of the key in a group.

    `ties` are the classes of undecided documents, by question.
    """
    predicted = predicted_questions(workspace.tables)
    sources: Sequence[str] = workspace.tables.made("pool").facts["sources"]
    known = {
        name: (*predicted[name].values, *([ties[name]] if name in ties else []))
        for name in spec.groups
        if name in predicted and name not in COLUMNS
    } | {"source": sources}
    return {place: known[name] for place, name in enumerate(spec.groups) if name in known}


def _doubts(
    workspace: Workspace,
    spec: MixSpec,
    groups: Groups,
    rows: Sequence[Mapping[str, Any]],
    budget: int,
) -> Iterator[StageWarning]:
    """Yield what is doubtful in the mixture, and that scores were left out."""
    if not uses_scores(workspace, spec):
        yield from workspace.freshness.left_out("mix", "scores")
    offered = {
        place: values
        for place, values in _offered(workspace, spec).items()
        if spec.groups[place] not in COLUMNS
    }
    yield from doubts(groups, rows, budget, offered, follows_quality=needs_quality(spec))


def _result(
    budget: int,
    supply: int,
    groups: list[dict[str, Any]],
    notes: tuple[str, ...],
    warnings: tuple[StageWarning, ...],
) -> MixResult:
    names = list(GroupResult.__dataclass_fields__)
    return MixResult(
        budget=budget,
        tokens=sum(row["tokens"] for row in groups),
        documents=sum(row["documents"] for row in groups),
        supply=supply,
        groups=tuple(GroupResult(**{name: row[name] for name in names}) for row in groups),
        notes=notes,
        warnings=warnings,
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
        scratch=lambda spec: 90,
        grows=lambda spec: 16 if spec.within.strategy in NOISELESS else 0,
    ),
)
