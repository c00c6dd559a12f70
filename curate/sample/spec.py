"""The settings of `sample`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from curate.names import near
from curate.spec import PATH, Seed, Spec, UsedIf, used_with, used_without

ATTRIBUTES = ("label", "guideline", "annotator")
"""What tasks to send again can have in common."""

DOUBTFUL, DISPUTED = "doubtful", "disputed"
"""The conditions that send again the labels that models doubt, or people dispute, most."""

RANKED = (DOUBTFUL, DISPUTED)
"""The conditions that put the tasks in an order."""

Purpose = Literal["label", "pilot", "review", "relabel", "import"]

PICKING = (
    *("auto", "least_confidence", "margin", "entropy", "k_means", "facility_location"),
    *("k_center", "uncertainty_diversity", "disagreement"),
)
"""The strategies that pick documents, beside a random share."""

OF_A_QUESTION = (
    *("auto", "least_confidence", "margin", "entropy", "uncertainty_diversity", "disagreement"),
)
"""The strategies that go by what is known of one question."""


class SampleSpec(Spec):
    """How many documents people see, and which."""

    n: Annotated[int, Field(ge=1, description="How many documents to send.")] = 200
    strategy: Annotated[
        Literal[
            "auto",
            "random",
            "stratified",
            "least_confidence",
            "margin",
            "entropy",
            "k_means",
            "facility_location",
            "k_center",
            "uncertainty_diversity",
            "disagreement",
            "mixture",
        ],
        used_without("relabel"),
        Field(
            description="`auto` draws at random; by uncertainty_diversity once there are scores."
        ),
    ] = "auto"
    of: Annotated[
        str | None,
        used_with(strategy=OF_A_QUESTION, allocation="neyman"),
        used_without("relabel"),
        Field(description="The question to choose for; by default the first that was learned."),
    ] = None
    random_share: Annotated[
        float,
        UsedIf(lambda spec: spec.strategy in PICKING, "without a strategy that picks documents"),
        used_without("relabel"),
        Field(gt=0, le=1, description="The share drawn at random beside what a strategy picks."),
    ] = 0.2
    by: Annotated[
        tuple[Literal["source", "language", "license"], ...],
        used_without("relabel"),
        Field(min_length=1, description="Columns whose values are the strata."),
    ] = ("source",)
    allocation: Annotated[
        Literal["equal", "proportional", "neyman"],
        used_with(strategy="stratified"),
        used_without("relabel"),
        Field(description="How strata share the documents; neyman needs scores."),
    ] = "equal"
    purpose: Annotated[
        Literal["label", "pilot"],
        used_without("relabel"),
        Field(description="A pilot is reported, never used as labels."),
    ] = "label"
    compare: Annotated[
        bool,
        used_without("relabel"),
        Field(description="Show two documents side by side, as $a and $b; n are the pairs."),
    ] = False
    window: Annotated[
        int | None,
        used_without("relabel"),
        Field(ge=20, description="Show this many characters of a longer text."),
    ] = None
    gold: Annotated[
        str | None,
        PATH,
        Field(description="A JSONL file of texts with known answers, mixed in unseen."),
    ] = None
    relabel: Annotated[
        str | None,
        Field(description="Ask again: doubtful, disputed, or by label=, guideline=, annotator=."),
    ] = None
    seed: Annotated[Seed, Field(description="Seed of the choice and of the order shown.")] = 0

    @field_validator("relabel")
    @classmethod
    def _of_something(cls, relabel: str | None) -> str | None:
        if relabel in (None, *RANKED):
            return relabel
        attribute, sign, value = str(relabel).partition("=")
        if attribute not in ATTRIBUTES or not (sign and value):
            meant = near(attribute, (*ATTRIBUTES, *RANKED))
            sign = "" if meant in RANKED else "="
            also = (
                f" (did you mean {meant}{sign}?)" if meant and attribute not in ATTRIBUTES else ""
            )
            raise ValueError(f"write doubtful, disputed, label=…, guideline=… or annotator=…{also}")
        return relabel

    @model_validator(mode="after")
    def _one_view(self) -> SampleSpec:
        if self.compare and self.window:
            raise ValueError("give either `compare` or `window`")
        return self
