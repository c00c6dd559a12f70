"""The settings of `agree`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from curate.spec import Seed, Spec, UsedIf


class AgreeSpec(Spec):
    """How disagreement is settled."""

    method: Annotated[
        Literal["auto", "majority", "dawid_skene"],
        Field(description="`auto` is the mean of four methods, calibrated. Ratings keep the mean."),
    ] = "auto"
    exclude: Annotated[
        tuple[str, ...], Field(description="People whose answers do not count, by id.")
    ] = ()
    bootstrap: Annotated[
        int,
        Field(ge=0, description="Resamples of the texts for alpha's interval for these people."),
    ] = 1000
    seed: Annotated[
        Seed,
        UsedIf(lambda spec: spec.bootstrap > 0, "without a bootstrap"),
        Field(description="Seed of the bootstrap."),
    ] = 0

    @field_validator("exclude", mode="before")
    @classmethod
    def _one_is_a_list(cls, exclude: Any) -> Any:
        return (exclude,) if isinstance(exclude, str) else exclude
