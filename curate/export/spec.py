"""The settings of `export`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from curate.spec import Seed, Spec


class ExportSpec(Spec):
    """How the mixture is written."""

    format: Annotated[Literal["jsonl", "parquet"], Field(description="Of the shards.")] = "jsonl"
    layout: Annotated[
        Literal["mixed"], Field(description="`mixed`: drawn and shuffled, to read in order.")
    ] = "mixed"
    shard_documents: Annotated[int, Field(ge=1, description="Documents in a shard.")] = 50_000
    seed: Annotated[Seed, Field(description="Seed of the shuffle.")] = 0
