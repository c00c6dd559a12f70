"""Choose the mixture: how much of each group, and which documents of it.

    scores · clean ──mix──▶ mix · groups

Between groups a strategy asks for shares, a projection keeps them within the limits; within a
group weights say which documents are preferred; one draw turns weights into copies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, field_validator

from curate import chance, tables
from curate.errors import DataError, RecipeError
from curate.mix.between import STRATEGIES, share_of
from curate.mix.projection import Infeasible, Projected, project
from curate.mix.within import NOISELESS, WEIGHERS
from curate.spec import Spec
from curate.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

READS = ("pool", "clean", "scores")
WRITES = ("mix", "groups")

COLUMNS = ("source", "language", "license")
"""What documents can be grouped by, beside the predicted class of a question."""


class BetweenSpec(Spec):
    """How groups share the budget."""

    strategy: Annotated[
        Literal["uniform", "proportional", "temperature", "quality", "shares"],
        Field(description="How shares are wanted; `shares` is implied by giving them."),
    ] = "proportional"
    alpha: Annotated[
        float, Field(ge=0, le=1, description="Exponent of the supply: 1 proportional, 0 uniform.")
    ] = 0.5
    beta: Annotated[float, Field(description="Weight of a group's mean quality.")] = 2.0
    shares: Annotated[
        dict[str, dict[str, float]] | None,
        Field(
            description="Key → value → share; values unnamed get 0, other keys stay in proportion."
        ),
    ] = None

    @field_validator("shares")
    @classmethod
    def _sum_to_one(
        cls, shares: dict[str, dict[str, float]] | None
    ) -> dict[str, dict[str, float]] | None:
        for key, values in (shares or {}).items():
            if min(values.values(), default=0) < 0 or abs(sum(values.values()) - 1) > 1e-6:
                raise ValueError(f"the shares of {key} sum to {sum(values.values()):g}, not 1")
        return shares


class WithinSpec(Spec):
    """Which documents of a group are preferred."""

    strategy: Annotated[
        Literal["equal", "softmax", "top_k"], Field(description="How quality becomes weight.")
    ] = "equal"
    temperature: Annotated[
        float, Field(gt=0, description="Of the softmax over quality, z-scored in its group.")
    ] = 1.0


class ShareLimit(Spec):
    """The smallest and the largest share of tokens."""

    min: Annotated[float, Field(ge=0, le=1)] = 0.0
    max: Annotated[float, Field(ge=0, le=1)] = 1.0


class MixSpec(Spec):
    """The mixture: groups, their shares, the weights within, and the budget."""

    groups: Annotated[
        tuple[str, ...],
        Field(min_length=1, description="source, language, license, or a question (its class)."),
    ] = ("source",)
    between: Annotated[BetweenSpec, Field(description="How groups share the budget.")] = (
        BetweenSpec()
    )
    within: Annotated[WithinSpec, Field(description="Which documents are preferred.")] = (
        WithinSpec()
    )
    budget: Annotated[
        str | int, Field(description="Tokens (`20M`), or a share of the supply (`25%`).")
    ] = "100%"
    max_epochs: Annotated[int, Field(ge=1, description="Copies of a document at most.")] = 4
    limits: dict[str, ShareLimit] = Field(
        default_factory=dict, description="Limits of a group's share, by name or `*`."
    )
    seed: Annotated[int, Field(description="Seed of the draw.")] = 0

    @field_validator("budget")
    @classmethod
    def _readable(cls, budget: str | int) -> str | int:
        tokens_of(budget, 1)
        return budget


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


_UNITS = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "b": 1e9, "t": 1e12}


def tokens_of(budget: str | int, supply: int) -> int:
    """Return a budget in tokens: `250000`, `20M`, `1.5B`, or a percentage of the supply."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kKMGBT%]?)\s*", str(budget))
    if not found or float(found[1]) <= 0:
        raise ValueError(f"{budget!r} is no budget: give tokens (`20M`) or a share (`25%`)")
    if found[2] == "%":
        return round(float(found[1]) / 100 * supply)
    return round(float(found[1]) * _UNITS[found[2].lower()])


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
    groups = _groups(drawn, wanted, projected, supply, spec)
    columns = ["id", "group", "bucket", "weight", "copies"]
    workspace.write("mix", tables.rows("mix", drawn[columns].to_dict("records")), made)
    workspace.write("groups", tables.rows("groups", groups), made)
    return _result(budget, supply, groups)


def needs_scores(spec: MixSpec) -> bool:
    """Whether the mixture depends on predictions or quality."""
    return (
        any(name not in COLUMNS for name in spec.groups)
        or spec.within.strategy != "equal"
        or spec.between.strategy == "quality"
    )


def candidates(workspace: Workspace, spec: MixSpec) -> pd.DataFrame:
    """Return what may be drawn: id, tokens, group, quality and bucket, in pool order."""
    items: pd.DataFrame = workspace.document_table(
        ("id", "tokens", "holdout", "media", *COLUMNS)
    ).to_pandas()
    items = items[~items["holdout"]]
    images = int((items.pop("media").notna() & (items["tokens"] == 0)).sum())
    if images:
        raise DataError(
            f"{images} of the documents are images alone: they have no tokens to mix",
            hint="they are for people to label; a rule of `clean` such as `length` leaves them out",
        )
    items = items[items["tokens"] > 0]
    scores = workspace.stored("scores")
    if scores:
        items = items.merge(workspace.read("scores").to_pandas(), on="id", how="left")
    if items.empty:
        raise DataError("no document is left to mix", hint="see the reasons in `clean`")
    columns = list(map(_column, spec.groups))
    for name, column in zip(spec.groups, columns, strict=True):
        if column not in items.columns:
            known = [workspace.made("scores").facts["question"]] if scores else []
            raise RecipeError(
                f"mix.groups: nothing to group by is called {name}",
                hint=f"there are: {', '.join((*COLUMNS, *known))}",
            )
    if needs_scores(spec) and items["out_of_fold"].isna().any():
        raise DataError("some documents have no scores yet", hint="run `curate score` again")
    if "quality" not in items.columns:
        items["quality"] = float("nan")
    if needs_quality(spec) and items["quality"].isna().all():
        raise RecipeError(
            "mix: the weights need quality, and `score` has none",
            hint="declare `score: {quality: …}`",
        )
    items[columns] = items[columns].fillna("unknown").astype(str)
    items["group"] = items[columns].agg("/".join, axis=1)
    items["bucket"] = _buckets(items)
    return items.reset_index(drop=True)


def _column(name: str) -> str:
    """Return the column that a key of the groups stands for: a document's own, or a prediction."""
    return name if name in COLUMNS else tables.predicted(name)


def needs_quality(spec: MixSpec) -> bool:
    """Whether weights follow quality."""
    return spec.within.strategy != "equal" or spec.between.strategy == "quality"


def draw_groups(
    items: pd.DataFrame, shares: Mapping[str, float], budget: int, spec: MixSpec
) -> pd.DataFrame:
    """Return the items with weight and copies; every group is within one document of its share."""
    import numpy as np

    weights = np.zeros(len(items))
    copies = np.zeros(len(items), np.int64)
    noise = chance.gumbel(items["id"], spec.seed, "draw")
    if spec.within.strategy in NOISELESS:
        noise = np.zeros(len(items))
    carry = 0.0
    for group, rows in items.groupby("group", sort=True).indices.items():
        part = items.iloc[rows]
        weights[rows] = WEIGHERS[spec.within.strategy](part, spec.within)
        tokens = part["tokens"].to_numpy(np.int64)
        target = shares[str(group)] * budget
        copies[rows] = chance.draw(
            weights[rows],
            tokens,
            target,
            max_copies=spec.max_epochs,
            noise=noise[rows],
            carry=carry,
        )
        carry += float((copies[rows] * tokens).sum()) - target
    return items.assign(weight=weights, copies=copies)


def _wanted(items: pd.DataFrame, supply: pd.Series[int], spec: MixSpec) -> dict[str, float]:
    import pandas as pd

    quality = items.groupby("group", sort=True)[["quality"]].mean()["quality"]
    between = spec.between
    if between.shares is not None:
        for key in between.shares:
            if key not in spec.groups:
                raise RecipeError(f"mix.between.shares: {key} is not among the groups")
        keys = items.groupby("group", sort=True)[list(map(_column, spec.groups))].first()
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


def _groups(
    drawn: pd.DataFrame,
    wanted: dict[str, float],
    projected: Projected,
    supply: pd.Series[int],
    spec: MixSpec,
) -> list[dict[str, Any]]:
    taken = drawn["copies"] * drawn["tokens"]
    total = int(taken.sum())
    expected = _expected(drawn.assign(taken=taken), spec)
    rows = []
    for group, part in drawn.assign(taken=taken).groupby("group", sort=True):
        name, tokens = str(group), int(part["taken"].sum())
        rows.append(
            {
                "group": name,
                "wanted": wanted[name],
                "promised": projected.shares[name],
                "realised": tokens / total,
                "expected": expected.get(name),
                "tokens": tokens,
                "documents": int(part["copies"].sum()),
                "epochs": tokens / int(supply[name]),
                "supply": int(supply[name]),
                "low": projected.low[name],
                "high": projected.high[name],
                "bound": projected.bound[name],
            }
        )
    return rows


def _expected(drawn: pd.DataFrame, spec: MixSpec) -> dict[str, float]:
    """Return the share of tokens that the probabilities foresee of each group's class.

    Of the other keys of a group (its source, say) nothing has to be foreseen.
    """
    questions = [name for name in spec.groups if name not in COLUMNS]
    if not questions:
        return {}
    others = [name for name in spec.groups if name in COLUMNS]
    total = drawn["taken"].sum()
    found = {}
    for group, part in drawn.groupby("group", sort=True):
        values = part.iloc[0]
        mass = drawn["taken"].astype(float)
        for other in others:
            mass = mass.where(drawn[other] == values[other], 0.0)
        for question in questions:
            mass = mass * drawn[f"{question}:{values[_column(question)]}"]
        found[str(group)] = float(mass.sum() / total)
    return found


def _buckets(items: pd.DataFrame) -> pd.Series[Any]:
    """Return the fifth of its group that a document's quality falls in, 1 to 5."""
    rank = items.groupby("group")["quality"].rank(method="first", pct=True)
    fifth = (rank * 5).clip(upper=4.999)
    return fifth.floordiv(1).add(1).astype("Int32")


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
