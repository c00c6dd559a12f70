"""How documents are compared, as near-duplicates or for passages, and which of them stays."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from curate.names import near
from curate.spec import Spec, UsedIf
from curate.workspace.readers import COLUMNS, HOST, META

KEYS = (*COLUMNS, HOST)
"""What `within` may name, beside `meta.KEY`."""

Keep = Literal["first", "longest", "newest", "source"]


class ComparingSpec(Spec):
    """What of documents is compared, which are compared with each other, and which one stays."""

    fields: Annotated[
        tuple[str, ...],
        Field(description="Fields, or roles of a chat, that are compared; none: the whole text."),
    ] = ()
    within: Annotated[
        tuple[str, ...],
        Field(
            description="Compare only documents with the same source, language, license, host or "
            "meta.KEY."
        ),
    ] = ()
    keep: Annotated[
        Keep,
        Field(
            description="Which stays: `first` (of the older batch, then the earlier source), "
            "`longest`, `newest`, `source` (the earlier source, of any batch)."
        ),
    ] = "first"
    date: Annotated[
        str | None,
        UsedIf(lambda spec: spec.keep == "newest", "without keep: newest"),
        Field(description="Key of `meta` that says how new; without it the newest batch is."),
    ] = None

    @field_validator("fields", "within", mode="before")
    @classmethod
    def _one_is_a_list(cls, names: Any) -> Any:
        """Read one name as a list of one."""
        return (names,) if isinstance(names, str) else names

    @field_validator("within")
    @classmethod
    def _known(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse what documents do not have."""
        for key in keys:
            if key not in KEYS and not (key.startswith(META) and key != META):
                meant = near(key, KEYS)
                also = f" (did you mean {meant}?)" if meant else ""
                raise ValueError(f"{key} is not one of {', '.join(KEYS)} and meta.KEY{also}")
        return keys

    @field_validator("date")
    @classmethod
    def _key_of_meta(cls, key: str | None) -> str | None:
        """Read `meta.KEY` as `KEY`."""
        return key.removeprefix(META) if key else key


class NearSpec(ComparingSpec):
    """The similarity from which one of two documents goes, and how they are compared."""

    similarity: Annotated[
        float,
        Field(
            ge=0.5,
            le=1,
            description="Jaccard similarity from which one of two documents is dropped.",
        ),
    ]


class NearMediaSpec(ComparingSpec):
    """The similarity from which one of two images, sounds or films goes."""

    similarity: Annotated[
        float,
        Field(ge=0.8, le=1, description="Correlation of fingerprints from which one is dropped."),
    ] = 0.93

    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, value: Any) -> Any:
        """Read a number as the similarity."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return {"similarity": value} if is_number else value

    @model_validator(mode="after")
    def _of_whole_media(self) -> NearMediaSpec:
        if self.fields:
            raise ValueError("media are compared whole: leave `fields` out")
        return self


class PassagesSpec(ComparingSpec):
    """From how many words on a repeat is a passage, and what is done with it."""

    tokens: Annotated[
        int,
        Field(ge=8, le=10_000, description="Words, or Chinese characters, that repeat at least."),
    ] = 50
    action: Annotated[
        Literal["remove", "flag"], Field(description="Remove repeats, or only record them.")
    ] = "remove"
    sources: Annotated[
        tuple[str, ...], Field(description="Sources that take part; none: all of them.")
    ] = ()
    least: Annotated[
        int,
        UsedIf(lambda spec: spec.action == "remove", "without action: remove"),
        Field(ge=1, description="A document with fewer words left is dropped."),
    ] = 1

    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, value: Any) -> Any:
        """Read a number as the number of words."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return {"tokens": value} if is_number else value

    @field_validator("sources", mode="before")
    @classmethod
    def _one_source_is_a_list(cls, names: Any) -> Any:
        """Read one name as a list of one."""
        return (names,) if isinstance(names, str) else names


class SemanticSpec(ComparingSpec):
    """The similarity in meaning from which one of two documents goes, and the encoder for it."""

    similarity: Annotated[
        float, Field(ge=0.8, le=1, description="Cosine similarity from which one is dropped.")
    ] = 0.95
    encoder: Annotated[str, Field(min_length=1, description="As in `score`.")] = "auto"

    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, value: Any) -> Any:
        """Read a number as the similarity."""
        return {"similarity": value} if isinstance(value, int | float) else value
