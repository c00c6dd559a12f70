"""The settings of `pool`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from curate import tokens
from curate.media.counting import MediaTokens
from curate.media.limits import LIMITS, Limits
from curate.sources.reading import SourceSpec
from curate.spec import Seed, Spec, path_if_suffix, used_with

COPIES = "media"
"""The folder of copies of media, within the workspace."""


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
    media: Annotated[
        Literal["refer", "copy"],
        Field(description="Media stay where they lie, or are copied into the workspace."),
    ] = "refer"
    media_tokens: Annotated[
        MediaTokens | None,
        Field(description="Tokens of media, as `{image: 576, audio: 25/s, video: 144/s}`."),
    ] = None
    media_limits: Annotated[
        Limits, Field(description="The largest media; larger ones are kept aside, counted.")
    ] = LIMITS
    strict: Annotated[
        bool, Field(description="Stop at the first bad row; otherwise keep it aside, counted.")
    ] = False
    seed: Annotated[
        Seed,
        used_with("holdout", "share"),
        Field(description="Seed of the holdout and of the share."),
    ] = 0
