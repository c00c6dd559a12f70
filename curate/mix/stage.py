"""Run `mix`: candidates, shares, limits, weights, and the draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate import chance, tables
from curate.errors import DataError, RecipeError
from curate.mix.audit import group_rows
from curate.mix.candidates import candidates, column_of, needs_scores
from curate.mix.spec import MixSpec, ShareLimit, tokens_of
from curate.mixture.drawing import draw_groups
from curate.mixture.projection import Infeasible, Projected, project
from curate.mixture.shares import STRATEGIES, share_of
from curate.mixture.weights import NOISELESS, weigh_groups
from curate.stage import Stage, if_mixed
from curate.workspace import Workspace

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


def run(workspace: Workspace, spec: MixSpec) -> MixResult:
    """Draw the mixture from the kept documents outside the holdout.

    Raises DataError for a budget that buys no document, or that the limits do not allow.
    """
    reads = READS if needs_scores(spec) else READS[:2]
    workspace.tables.require(*reads)
    inputs = workspace.tables.fingerprints(READS)
    items = candidates(workspace, spec)
    supply = items.groupby("group", sort=True)["tokens"].sum()
    budget = tokens_of(spec.budget, int(supply.sum()))
    if budget < 1:
        raise DataError(f"a budget of {spec.budget} is less than one token", hint="raise it")
    provenance = workspace.freshness.provenance(
        "mix", spec, inputs, budget=budget, noiseless=spec.within.strategy in NOISELESS
    )
    wanted = _wanted(items, supply, spec)
    projected = _projected(wanted, supply, budget, spec)
    draw = _drawn(items, projected.shares, budget, spec)
    if not draw["copies"].any():
        raise DataError(
            f"a budget of {budget:,} tokens is not worth one document", hint="raise `mix.budget`"
        )
    groups = group_rows(draw, wanted, projected, supply, spec)
    columns = ["id", "group", "bucket", "weight", "copies"]
    workspace.tables.write("mix", tables.rows("mix", draw[columns].to_dict("records")), provenance)
    workspace.tables.write("groups", tables.rows("groups", groups), provenance)
    return _result(budget, supply, groups)


def _wanted(items: pd.DataFrame, supply: pd.Series[int], spec: MixSpec) -> dict[str, float]:
    """The share that each group is asked to have, before the limits. Raises RecipeError."""
    import pandas as pd

    quality = items.groupby("group", sort=True)[["quality"]].mean()["quality"]
    between = spec.between
    if between.shares is not None:
        for key in between.shares:
            if key not in spec.groups:
                raise RecipeError(f"mix.between.shares: {key} is not among the groups")
        keys = items.groupby("group", sort=True)[list(map(column_of, spec.groups))].first()
        keys.columns = pd.Index(spec.groups)
        return share_of(keys, supply, between.shares)
    strategy = STRATEGIES[between.strategy]
    return strategy(supply, quality, alpha=between.alpha, beta=between.beta)


def _projected(
    wanted: dict[str, float], supply: pd.Series[int], budget: int, spec: MixSpec
) -> Projected:
    """The shares within the limits. Raises RecipeError for a limit of no group, and DataError."""
    default = spec.limits.get("*", ShareLimit())
    unknown = [name for name in spec.limits if name != "*" and name not in wanted]
    if unknown:
        raise RecipeError(
            f"mix.limits: no group {unknown[0]}", hint=f"there are: {', '.join(wanted)}"
        )
    limits = {group: spec.limits.get(group, default) for group in wanted}
    try:
        return project(
            wanted,
            low={group: limit.min for group, limit in limits.items()},
            high={group: limit.max for group, limit in limits.items()},
            supply={group: spec.max_epochs * int(supply[group]) / budget for group in wanted},
        )
    except Infeasible as error:
        raise DataError(
            f"a budget of {budget:,} tokens cannot be met: {error}; the candidates hold "
            f"{int(supply.sum()):,} tokens, each drawn {spec.max_epochs} times at most",
            hint="lower `mix.budget`, raise `mix.max_epochs`, or widen the limits",
        ) from None


def _drawn(
    items: pd.DataFrame, shares: Mapping[str, float], budget: int, spec: MixSpec
) -> pd.DataFrame:
    """The candidates with their weight and their number of copies."""
    import numpy as np

    within = spec.within
    weights = weigh_groups(items, within.strategy, within.temperature)
    noise = chance.gumbel(items["id"], spec.seed, "draw")
    if within.strategy in NOISELESS:
        noise = np.zeros(len(items))
    copies = draw_groups(
        items,
        weights,
        {group: share * budget for group, share in shares.items()},
        max_copies=spec.max_epochs,
        noise=noise,
    )
    return items.assign(weight=weights, copies=copies)


def _result(budget: int, supply: pd.Series[int], groups: list[dict[str, Any]]) -> MixResult:
    names = list(GroupResult.__dataclass_fields__)
    moved = [row["group"] for row in groups if row["bound"]]
    notes = (f"limits moved {', '.join(moved)}",) if moved else ()
    return MixResult(
        budget=budget,
        tokens=sum(row["tokens"] for row in groups),
        documents=sum(row["documents"] for row in groups),
        supply=int(supply.sum()),
        groups=tuple(GroupResult(**{name: row[name] for name in names}) for row in groups),
        notes=notes,
    )


STAGE = Stage(
    name="mix",
    spec=MixSpec,
    run=run,
    reads=READS,
    writes=WRITES,
    examples=("curate mix --groups source --budget 20M",),
    takes_part=if_mixed,
)
