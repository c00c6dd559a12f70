"""Choose the mixture: how much of each group, and which documents of it.

    scores · clean ──mix──▶ mix · groups

Between groups a strategy asks for shares, a projection keeps them within the limits; within a
group weights say which documents are preferred; one draw turns weights into copies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate import tables
from curate.errors import DataError, RecipeError
from curate.mix.audit import audited
from curate.mix.candidates import candidates, column_of, needs_scores
from curate.mix.spec import MixSpec, ShareLimit, tokens_of
from curate.mixture.drawing import draw_groups
from curate.mixture.projection import Infeasible, Projected, project
from curate.mixture.shares import STRATEGIES, share_of
from curate.mixture.weights import NOISELESS
from curate.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

READS = ("pool", "clean", "scores")
WRITES = ("mix", "groups")


@dataclass(frozen=True)
class GroupResult:
    """One group as shares of tokens."""

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
    """What was drawn, out of what."""

    budget: int
    tokens: int
    documents: int
    supply: int
    groups: tuple[GroupResult, ...]
    notes: tuple[str, ...] = ()


def run(workspace: Workspace, spec: MixSpec) -> MixResult:
    """Draw the mixture from the kept documents outside the holdout."""
    reads = READS if needs_scores(spec) else READS[:2]
    workspace.require(*reads)
    inputs = workspace.inputs(READS)
    items = candidates(workspace, spec)
    supply = items.groupby("group", sort=True)["tokens"].sum()
    budget = tokens_of(spec.budget, int(supply.sum()))
    if budget < 1:
        raise DataError(f"a budget of {spec.budget} is less than one token", hint="raise it")
    made = workspace.provenance(
        "mix", spec, inputs, budget=budget, noiseless=spec.within.strategy in NOISELESS
    )
    wanted = _wanted(items, supply, spec)
    projected = _projected(wanted, supply, budget, spec)
    drawn = draw_groups(items, projected.shares, budget, spec)
    if not drawn["copies"].any():
        raise DataError(
            f"a budget of {budget:,} tokens is not worth one document", hint="raise `mix.budget`"
        )
    groups = audited(drawn, wanted, projected, supply, spec)
    columns = ["id", "group", "bucket", "weight", "copies"]
    workspace.write("mix", tables.rows("mix", drawn[columns].to_dict("records")), made)
    workspace.write("groups", tables.rows("groups", groups), made)
    return _result(budget, supply, groups)


def _wanted(items: pd.DataFrame, supply: pd.Series[int], spec: MixSpec) -> dict[str, float]:
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
    return STRATEGIES[between.strategy](supply, quality, between)


def _projected(
    wanted: dict[str, float], supply: pd.Series[int], budget: int, spec: MixSpec
) -> Projected:
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
