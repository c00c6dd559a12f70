"""The settings of `mix`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from curate.mix.budgets import NO_BUDGET, Unit, amount_of, one_unit
from curate.names import suggestion
from curate.spec import PATH, Seed, Spec, UsedIf, path_if_suffix, path_unless_named, used_with

LEAST_TEMPERATURE = 0.01
"""Below it, weights a few standard deviations from the best are too small for floats."""

MOST_BETA = 100.0
"""Qualities lie between 0 and 1: a larger weight is beyond what floats hold."""

EVERY_OTHER = "*"
"""Stands for the groups, or the values of a column, that `limits` does not name."""

GIVEN = {"shares": "`shares`: key → value → share", "weights": "`weights`: {file: PATH}"}
"""Strategies that a setting of their name implies, and how that setting reads."""

SHORT_NAMES = {"min": "min_share", "max": "max_share"}


class WeightsFile(Spec):
    """Weights of groups out of a file: what a fit, or a trainer's log, proposed."""

    file: Annotated[str, PATH, Field(description='JSON: group → weight, as {"web": 3, "wiki": 1}.')]


class BetweenSpec(Spec):
    """How groups share the budget."""

    strategy: Annotated[
        Literal["uniform", "proportional", "temperature", "unimax", "quality", "shares", "weights"],
        Field(description="How shares are wanted; `shares`, `weights` are implied by giving them."),
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
    shares_of: Annotated[
        Literal["prediction", "truth"],
        used_with(strategy="shares"),
        Field(description="Whose shares of a class: of what heads predict, or of what is true."),
    ] = "prediction"
    weights: Annotated[
        WeightsFile | None,
        used_with(strategy="weights"),
        Field(description="`{file: PATH}`; groups that the file does not name stay out."),
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _implied(cls, data: Any) -> Any:
        given = [name for name in GIVEN if isinstance(data, dict) and data.get(name)]
        return {**data, "strategy": given[0]} if given and "strategy" not in data else data

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> BetweenSpec:
        if self.strategy in GIVEN and not getattr(self, self.strategy):
            raise ValueError(f"the strategy {self.strategy} needs {GIVEN[self.strategy]}")
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
        Literal["equal", "softmax", "top_k", "threshold", "quadmix"],
        Field(description="How quality becomes weight."),
    ] = "equal"
    temperature: Annotated[
        float,
        used_with(strategy="softmax"),
        Field(
            ge=LEAST_TEMPERATURE,
            description="Of the softmax over quality, z-scored in its group; `top_k` is its limit.",
        ),
    ] = 1.0
    at_least: Annotated[
        float,
        used_with(strategy="threshold"),
        Field(ge=0, le=1, description="The quality below which no document is drawn."),
    ] = 0.5
    columns: Annotated[
        dict[str, float],
        used_with(strategy="quadmix"),
        Field(
            min_length=1,
            description="Columns of `scores` and their weights, merged into one rank.",
        ),
    ] = Field(default_factory=lambda: {"quality": 1.0})
    steepness: Annotated[
        float,
        used_with(strategy="quadmix"),
        Field(gt=0, description="Of the sigmoid over the rank (lambda)."),
    ] = 100.0
    cut: Annotated[
        float,
        used_with(strategy="quadmix"),
        Field(gt=0, le=1, description="The rank (0 best, 1 worst) at which it ends (omega)."),
    ] = 0.5
    power: Annotated[
        float,
        used_with(strategy="quadmix"),
        Field(ge=0, description="Exponent of the sigmoid (eta)."),
    ] = 1.0
    floor: Annotated[
        float,
        used_with(strategy="quadmix"),
        Field(gt=0, description="What every document weighs at least (epsilon)."),
    ] = 0.001


class ShareLimit(Spec):
    """Limits of a group, or of the documents with a value of a column, in shares of tokens.

    `min` and `max` are other names of `min_share` and `max_share`.
    """

    min_share: Annotated[float, Field(ge=0, le=1, description="The smallest share.")] = 0.0
    max_share: Annotated[float, Field(ge=0, le=1, description="The largest share.")] = 1.0
    max_tokens: Annotated[
        str | int | None, Field(description="The largest number of tokens, as `8B`.")
    ] = None
    max_epochs: Annotated[
        int | None, Field(ge=1, description="Copies of a document at most, only for these.")
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _short_names(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        twice = [name for name in ("min", "max") if name in data and f"{name}_share" in data]
        if twice:
            raise ValueError(f"{twice[0]} and {twice[0]}_share are the same: leave one out")
        return {SHORT_NAMES.get(name, name): value for name, value in data.items()}

    @model_validator(mode="after")
    def _in_order(self) -> ShareLimit:
        if self.min_share > self.max_share:
            raise ValueError(f"min is {self.min_share:g}, above max, {self.max_share:g}")
        return self

    @field_validator("max_tokens")
    @classmethod
    def _readable(cls, tokens: str | int | None) -> str | int | None:
        if tokens is not None:
            amount_of(tokens, 1)
        return tokens

    def most(self, budget: int) -> float:
        """The largest share of a budget in tokens."""
        if self.max_tokens is None:
            return self.max_share
        return min(self.max_share, amount_of(self.max_tokens, budget) / budget)


class PhaseSpec(Spec):
    """A part of a mixture with a budget of its own; what it leaves out is as in the mixture."""

    name: Annotated[
        str,
        Field(pattern=r"^[\w][\w.-]*$", description="Of the part, as its shards are called."),
    ]
    budget: Annotated[
        str | int, Field(description="Tokens, items, time, or a share of the supply.")
    ]
    groups: Annotated[tuple[str, ...] | None, Field(min_length=1)] = None
    between: BetweenSpec | None = None
    within: WithinSpec | None = None
    limits: dict[str, ShareLimit] | None = None
    max_epochs: Annotated[int | None, Field(ge=1)] = None


OF_TOKENS = UsedIf(lambda spec: spec.unit == "tokens", "with a budget in items or time")
"""Marks the settings of how tokens are counted."""


class MixSpec(Spec):
    """The mixture: groups, their shares, the weights within, and the budget."""

    groups: Annotated[
        tuple[str, ...],
        Field(
            min_length=1,
            description="source, language, license, host, meta.KEY, cluster, quality_bucket, or a "
            "question (its class).",
        ),
    ] = ("source",)
    between: Annotated[BetweenSpec, Field(description="How groups share the budget.")] = (
        BetweenSpec()
    )
    within: Annotated[WithinSpec, Field(description="Which documents are preferred.")] = (
        WithinSpec()
    )
    budget: Annotated[
        str | int,
        UsedIf(lambda spec: not spec.phases, "beside phases, which have budgets of their own"),
        Field(
            description="Tokens (`20M`), items (`5000 items`), time (`10 h`), or a share (`25%`)."
        ),
    ] = "100%"
    drift: Annotated[
        Literal["warn", "refuse"],
        Field(description="What to do where labelled texts do not look like the corpus."),
    ] = "warn"
    max_epochs: Annotated[
        int, Field(ge=1, description="How often a document is drawn at most.")
    ] = 4
    limits: dict[str, ShareLimit] = Field(
        default_factory=dict,
        description="Limits by group, or `COLUMN=VALUE`; `*` is every other group, or value.",
    )
    tokenizer: Annotated[
        str | None,
        path_if_suffix(".json"),
        OF_TOKENS,
        Field(
            description="What counts the budget; by default the pool's, whose count is kept too."
        ),
    ] = None
    extra_tokens: Annotated[
        int,
        OF_TOKENS,
        Field(ge=0, description="Tokens added to each document, such as an end of text."),
    ] = 0
    earlier: Annotated[
        tuple[str, ...],
        PATH,
        Field(description="manifest.json of earlier exports: what they drew is not drawn again."),
    ] = ()
    consumed: Annotated[
        str,
        path_unless_named("all"),
        used_with("earlier"),
        Field(description="A file of the shards of `earlier` that were trained on, or `all`."),
    ] = "all"
    phases: Annotated[
        tuple[PhaseSpec, ...],
        Field(description="Parts in the order of training, each after those before it."),
    ] = ()
    clusters: Annotated[
        int,
        UsedIf(lambda spec: spec.names("cluster"), "without cluster in groups or limits"),
        Field(ge=2, description="Clusters of the embeddings, for `groups: [cluster]`."),
    ] = 20
    seed: Annotated[
        Seed,
        UsedIf(lambda spec: spec.within.strategy != "top_k", "with within.strategy top_k"),
        Field(description="Seed of the draw."),
    ] = 0

    def names(self, column: str) -> bool:
        """Whether groups or limits are made by a column."""
        return column in self.groups or any(
            limit.partition("=")[:2] == (column, "=") for limit in self.limits
        )

    @property
    def unit(self) -> Unit:
        """What the budget counts, and shares are shares of."""
        limits = (limit.max_tokens for limit in self.limits.values())
        most = [own for own in limits if own is not None]
        budgets = [phase.budget for phase in self.phases] or [self.budget]
        return one_unit([*budgets, *most])

    @model_validator(mode="after")
    def _has_one_unit(self) -> MixSpec:
        self.unit  # noqa: B018 (it raises)
        return self

    @field_validator("groups")
    @classmethod
    def _each_once(cls, groups: tuple[str, ...]) -> tuple[str, ...]:
        twice = [name for place, name in enumerate(groups) if name in groups[:place]]
        if twice:
            raise ValueError(f"{twice[0]} appears twice")
        return groups

    @field_validator("limits")
    @classmethod
    def _room_for_all(cls, limits: dict[str, ShareLimit]) -> dict[str, ShareLimit]:
        least = sum(
            limit.min_share
            for name, limit in limits.items()
            if name != EVERY_OTHER and "=" not in name
        )
        if least > 1 + 1e-9:
            raise ValueError(f"the smallest shares sum to {least:g}, more than 1")
        return limits

    @field_validator("phases")
    @classmethod
    def _called_apart(cls, phases: tuple[PhaseSpec, ...]) -> tuple[PhaseSpec, ...]:
        names = [phase.name for phase in phases]
        twice = [name for place, name in enumerate(names) if name in names[:place]]
        if twice:
            raise ValueError(f"two phases are called {twice[0]}")
        return phases

    def parts(self) -> list[tuple[str | None, MixSpec]]:
        """The parts that are drawn one after the other, with their names; one without phases."""
        if not self.phases:
            return [(None, self)]
        whole = self.model_dump(exclude_unset=True, exclude={"phases"})
        return [
            (phase.name, MixSpec.model_validate(whole | _given(phase))) for phase in self.phases
        ]

    @model_validator(mode="after")
    def _phases_are_mixtures(self) -> MixSpec:
        if self.phases:
            self.parts()
        return self

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
        amount_of(budget, 1)
        return budget


def _given(phase: PhaseSpec) -> dict[str, Any]:
    """The settings of a phase that are those of a mixture."""
    own = phase.model_dump(exclude_unset=True, exclude={"name"})
    return {name: value for name, value in own.items() if value is not None}
