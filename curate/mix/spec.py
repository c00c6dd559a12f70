"""The settings of `mix`."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from curate.names import suggestion
from curate.spec import Seed, Spec, UsedIf, used_with
from curate.yamls import HUGE

NO_BUDGET = "is no budget: give tokens (`20M`) or a share (`25%`)"

LEAST_TEMPERATURE = 0.01
"""Below it, weights a few standard deviations from the best are too small for floats."""

MOST_BETA = 100.0
"""Qualities lie between 0 and 1: a larger weight is beyond what floats hold."""

EVERY_OTHER = "*"
"""Stands for the groups that `limits` does not name."""


class BetweenSpec(Spec):
    """How groups share the budget."""

    strategy: Annotated[
        Literal["uniform", "proportional", "temperature", "quality", "shares"],
        Field(description="How shares are wanted; `shares` is implied by giving them."),
    ] = "proportional"
    alpha: Annotated[
        float,
        used_with(strategy=("temperature", "quality")),
        Field(ge=0, le=1, description="Exponent of the supply: 1 proportional, 0 uniform."),
    ] = 0.5
    beta: Annotated[
        float,
        used_with(strategy="quality"),
        Field(ge=-MOST_BETA, le=MOST_BETA, description="Weight of a group's mean quality."),
    ] = 2.0
    shares: Annotated[
        dict[str, dict[str, float]] | None,
        used_with(strategy="shares"),
        Field(
            description="Key → value → share; values unnamed get 0, other keys stay in proportion."
        ),
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _implied_by_shares(cls, data: Any) -> Any:
        is_implied = isinstance(data, dict) and data.get("shares") and "strategy" not in data
        return {**data, "strategy": "shares"} if is_implied else data

    @model_validator(mode="after")
    def _shares_of_something(self) -> BetweenSpec:
        if self.strategy == "shares" and not self.shares:
            raise ValueError("the strategy shares needs `shares`: key → value → share")
        return self

    @field_validator("shares")
    @classmethod
    def _sum_to_one(
        cls, shares: dict[str, dict[str, float]] | None
    ) -> dict[str, dict[str, float]] | None:
        if shares == {}:
            raise ValueError("it is empty: write key → value → share, or leave it out")
        for key, values in (shares or {}).items():
            if min(values.values(), default=0) < 0:
                raise ValueError(f"a share of {key} is below 0")
            if abs(sum(values.values()) - 1) > 1e-6:
                raise ValueError(f"the shares of {key} sum to {sum(values.values()):g}, not 1")
        return shares


class WithinSpec(Spec):
    """Which documents of a group are preferred."""

    strategy: Annotated[
        Literal["equal", "softmax", "top_k"], Field(description="How quality becomes weight.")
    ] = "equal"
    temperature: Annotated[
        float,
        used_with(strategy="softmax"),
        Field(
            ge=LEAST_TEMPERATURE,
            description="Of the softmax over quality, z-scored in its group; `top_k` is its limit.",
        ),
    ] = 1.0


class ShareLimit(Spec):
    """The smallest and the largest share of tokens."""

    min: Annotated[float, Field(ge=0, le=1)] = 0.0
    max: Annotated[float, Field(ge=0, le=1)] = 1.0

    @model_validator(mode="after")
    def _in_order(self) -> ShareLimit:
        if self.min > self.max:
            raise ValueError(f"min is {self.min:g}, above max, {self.max:g}")
        return self


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
    drift: Annotated[
        Literal["warn", "refuse"],
        Field(description="What to do where labelled texts do not look like the corpus."),
    ] = "warn"
    max_epochs: Annotated[int, Field(ge=1, description="Copies of a document at most.")] = 4
    limits: dict[str, ShareLimit] = Field(
        default_factory=dict,
        description="Limits of a group's share, by name or `*`; `min` lets in one wanted at 0.",
    )
    seed: Annotated[
        Seed,
        UsedIf(lambda spec: spec.within.strategy != "top_k", "with within.strategy top_k"),
        Field(description="Seed of the draw."),
    ] = 0

    @field_validator("groups")
    @classmethod
    def _each_once(cls, groups: tuple[str, ...]) -> tuple[str, ...]:
        twice = [name for place, name in enumerate(groups) if name in groups[:place]]
        if twice:
            raise ValueError(f"{twice[0]} stands there twice")
        return groups

    @field_validator("limits")
    @classmethod
    def _room_for_all(cls, limits: dict[str, ShareLimit]) -> dict[str, ShareLimit]:
        least = sum(limit.min for name, limit in limits.items() if name != EVERY_OTHER)
        if least > 1 + 1e-9:
            raise ValueError(f"the smallest shares sum to {least:g}, more than 1")
        return limits

    @model_validator(mode="after")
    def _shares_of_groups(self) -> MixSpec:
        for key in self.between.shares or ():
            if key not in self.groups:
                hint = suggestion(key, self.groups)
                raise ValueError(f"between.shares: {key} is not among the groups ({hint})")
        return self

    @field_validator("budget", mode="before")
    @classmethod
    def _no_other_number(cls, budget: Any) -> Any:
        if isinstance(budget, bool | float):
            raise ValueError(f"{budget} {NO_BUDGET}")
        return budget

    @field_validator("budget")
    @classmethod
    def _readable(cls, budget: str | int) -> str | int:
        tokens_of(budget, 1)
        return budget


_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9, "t": 10**12}


def tokens_of(budget: str | int, supply: int) -> int:
    """The tokens of a budget: `250000`, `20M`, `1.5B`, or a percentage of the supply.

    Raises ValueError for anything else, and for a budget of 0.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kKMGBT%]?)\s*", str(budget))
    if not match or float(match[1]) <= 0:
        raise ValueError(f"{budget!r} {NO_BUDGET}")
    unit = Fraction(supply, 100) if match[2] == "%" else _UNITS[match[2].lower()]
    tokens = Fraction(match[1]) * unit
    if tokens >= HUGE:
        raise ValueError(f"{str(budget)[:20]} is more than any corpus holds")
    return round(tokens)
