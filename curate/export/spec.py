"""The settings of `export`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from curate.spec import Seed, Spec, used_without
from curate.tokens import number_of


class ExportSpec(Spec):
    """How the mixture is written."""

    format: Annotated[Literal["jsonl", "parquet"], Field(description="Of the shards.")] = "jsonl"
    layout: Annotated[
        Literal["mixed", "by_group"],
        Field(
            description="`mixed`: weights are spent, read the lines in order; `by_group`: a folder "
            "a group, each document once, with weights for each trainer."
        ),
    ] = "mixed"
    shards: Annotated[
        int | None,
        Field(ge=1, le=100_000, description="Number of shards, at least one a part; all even."),
    ] = None
    shard_documents: Annotated[
        int,
        used_without("shards"),
        used_without("shard_tokens"),
        Field(ge=1, description="Lines in a shard at most; all shards are even."),
    ] = 50_000
    shard_tokens: Annotated[
        str | int | None,
        used_without("shards"),
        Field(description="Tokens in a shard, about, as the pool counts them: 10M."),
    ] = None
    validation: Annotated[
        bool, Field(description="Write the holdout too, as a split of its own.")
    ] = True
    seed: Annotated[Seed, Field(description="Seed of the order.")] = 0

    @field_validator("shard_tokens")
    @classmethod
    def _readable(cls, tokens: str | int | None) -> str | int | None:
        if tokens is not None:
            number_of(tokens)
        return tokens
