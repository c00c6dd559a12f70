"""The settings of `mix`."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from curate.spec import Spec


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


_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9, "t": 10**12}


def tokens_of(budget: str | int, supply: int) -> int:
    """The tokens of a budget: `250000`, `20M`, `1.5B`, or a percentage of the supply.

    Raises ValueError for anything else, and for a budget of 0.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kKMGBT%]?)\s*", str(budget))
    if not match or float(match[1]) <= 0:
        raise ValueError(f"{budget!r} is no budget: give tokens (`20M`) or a share (`25%`)")
    amount = Fraction(match[1])
    return round(amount * supply / 100 if match[2] == "%" else amount * _UNITS[match[2].lower()])
