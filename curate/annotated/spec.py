"""The settings of quality: how it follows from the answers to questions."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from curate.spec import Spec

Worth = dict[str, Annotated[float, Field(ge=0, le=1)]]
"""Value → its quality, 0 to 1."""


class TermSpec(Spec):
    """One predicted answer as a number from 0 to 1, and its weight beside others."""

    question: Annotated[str, Field(min_length=1, description="One of the questions learned.")]
    weight: Annotated[float, Field(gt=0, description="Factor in a sum, exponent in a product.")] = (
        1.0
    )
    values: Annotated[
        Worth | None,
        Field(description="Value → 0 to 1; the expectation is taken. A rating is scaled without."),
    ] = None
    clarity: Annotated[
        tuple[str, ...] | None,
        Field(min_length=1, description="The largest of these classes' probabilities."),
    ] = None

    @model_validator(mode="after")
    def _one_meaning(self) -> TermSpec:
        if self.values is not None and self.clarity is not None:
            raise ValueError("give either `values` or `clarity`")
        return self


class QualitySpec(Spec):
    """How quality follows from the predicted answers; it lies between 0 and 1."""

    values: Annotated[
        Worth | None, Field(description="Value → quality, 0 to 1; the expectation is taken.")
    ] = None
    clarity: Annotated[
        tuple[str, ...] | None,
        Field(min_length=1, description="The largest of these classes' probabilities."),
    ] = None
    sum: Annotated[
        tuple[TermSpec, ...] | None,
        Field(min_length=1, description="The weighted mean of the answers to several questions."),
    ] = None
    product: Annotated[
        tuple[TermSpec, ...] | None,
        Field(min_length=1, description="The product of the answers, each to its weight."),
    ] = None
    function: Annotated[
        str | None,
        Field(
            pattern=r"^[\w.]+:\w+$",
            description="MODULE:FUNCTION of {question: probabilities, documents x values}.",
        ),
    ] = None

    @field_validator("sum", "product")
    @classmethod
    def _each_once(cls, terms: tuple[TermSpec, ...] | None) -> tuple[TermSpec, ...] | None:
        names = [term.question for term in terms or ()]
        twice = [name for place, name in enumerate(names) if name in names[:place]]
        if twice:
            raise ValueError(f"{twice[0]} appears twice")
        return terms

    @model_validator(mode="after")
    def _one(self) -> QualitySpec:
        ways = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(ways) != 1:
            raise ValueError("give one of `values`, `clarity`, `sum`, `product` and `function`")
        return self
