"""The settings of `pool`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from curate import tokens
from curate.sources.reading import SourceSpec
from curate.spec import Seed, Spec, path_if_suffix, used_with


class PoolSpec(Spec):
    """Which documents to collect, and how to count their tokens."""

    sources: Annotated[
        tuple[SourceSpec, ...], Field(description="Where documents come from, in order.")
    ] = ()
    tokenizer: Annotated[
        str,
        path_if_suffix(".json"),
        Field(description="A bpe-openai encoding, `bytes`, or a tokenizer.json."),
    ] = tokens.DEFAULT
    holdout: Annotated[
        float, Field(ge=0, lt=1, description="Share kept to measure on, never shown or exported.")
    ] = 0.0
    share: Annotated[
        float, Field(gt=0, le=1, description="Share of all documents, by id, to try a recipe on.")
    ] = 1.0
    strict: Annotated[
        bool, Field(description="Stop at the first bad row; otherwise keep it aside, counted.")
    ] = False
    seed: Annotated[
        Seed,
        used_with("holdout", "share"),
        Field(description="Seed of the holdout and of the share."),
    ] = 0
