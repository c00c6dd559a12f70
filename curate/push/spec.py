"""The settings of `push`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from curate.push.suggest import SuggestSpec
from curate.spec import PATH, Spec, path_if_suffix

PERSON = "person"
UNDETERMINED = "und"
"""The language of a text that `clean` was not sure of: anybody may read it."""


class PushSpec(Spec):
    """Where people label, with which form, and how many of them each text."""

    backend: Annotated[
        Literal["label_studio", "argilla", "folder"], Field(description="Where people label.")
    ] = "label_studio"
    form: Annotated[
        str,
        path_if_suffix(".xml"),
        Field(description="A form by name, or the path of a label config."),
    ] = "sentiment"
    overlap: Annotated[
        Annotated[int, Field(ge=1)] | Literal["all"],
        Field(description="How many people answer each text."),
    ] = 1
    guidelines: Annotated[
        str | dict[str, str] | None,
        PATH,
        Field(description="A Markdown file for annotators; or one for each part of the round."),
    ] = None
    assign: Annotated[
        str | None,
        Field(
            description="Split the round: by language, another pool column, meta.KEY, or person."
        ),
    ] = None
    people: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="Part of the round → the people who get it."
    )
    suggest: Annotated[
        tuple[SuggestSpec, ...], Field(description="Models that answer beforehand.")
    ] = ()

    @model_validator(mode="after")
    def _people_of_parts(self) -> PushSpec:
        if self.people and self.assign in (None, PERSON):
            raise ValueError("`people` is for a round that is split by a column: see `assign`")
        if isinstance(self.guidelines, dict) and self.assign in (None, PERSON):
            raise ValueError("one guideline each is for a round that is split by a column")
        return self
