"""The settings of `agree`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from curate.spec import Seed, Spec, UsedIf


class AgreeSpec(Spec):
    """How disagreement is settled."""

    method: Annotated[
        Literal["auto", "majority", "dawid_skene"],
        Field(
            description="How answers become one: `auto` is a calibrated mean of four methods, "
            "and of ratings the mean."
        ),
    ] = "auto"
    exclude: Annotated[
        tuple[str, ...], Field(description="People whose answers do not count, by id.")
    ] = ()
    exclude_guidelines: Annotated[
        tuple[str, ...],
        Field(description="Guidelines whose answers do not count, by digest or its beginning."),
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

    @field_validator("exclude", "exclude_guidelines", mode="before")
    @classmethod
    def _one_is_a_list(cls, names: Any) -> Any:
        return (names,) if isinstance(names, str) else names

    def counts(self, annotator: str, guideline: str | None) -> bool:
        """Whether an answer of a person counts that was given under a guideline (its digest)."""
        is_excluded = guideline is not None and guideline.startswith(self.exclude_guidelines)
        return annotator not in self.exclude and not is_excluded
