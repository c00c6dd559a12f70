"""The settings of `export`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from curate.export.formats.names import BESIDE, LINES, Name
from curate.spec import Seed, Spec, UsedIf, used_with, used_without
from curate.tokens import number_of

OF_LINES = UsedIf(lambda spec: spec.format != "tokens", "with format tokens")
"""Marks the settings of what a line holds: token shards hold ids alone."""

ID_LIMIT = 1 << 32
"""Ids of tokens are below it."""


class ExportSpec(Spec):
    """How the mixture is written."""

    format: Annotated[
        Name,
        Field(
            description="Of the shards. `datasets`: a folder for `load_from_disk`; `tokens`: ids "
            "for a trainer, by the tokenizer of the budget."
        ),
    ] = "jsonl"
    end_of_text: Annotated[
        str | int | None,
        used_with(format="tokens"),
        Field(description="The token that ends each document, or its id: <|endoftext|>."),
    ] = None
    messages: Annotated[
        bool,
        OF_LINES,
        Field(description="Add `messages` of what came as a conversation: role and content."),
    ] = False
    marks: Annotated[
        bool,
        used_with("messages"),
        used_with(format=BESIDE),
        Field(
            description="In messages `<image>` stands for a medium; `images`, `audios` and "
            "`videos` list their paths, as LLaMA-Factory reads them."
        ),
    ] = False
    meta: Annotated[
        tuple[str, ...],
        OF_LINES,
        Field(description="Add `meta` with these other columns of the source, as strings."),
    ] = ()
    original: Annotated[
        bool,
        used_with(format=LINES),
        Field(description="Each line is the source's row as it came, ours under `_curate`."),
    ] = False
    layout: Annotated[
        Literal["mixed", "by_group"],
        Field(
            description="`mixed`: weights are spent, read the lines in order; `by_group`: a folder "
            "a group, each document once, with weights for each trainer."
        ),
    ] = "mixed"
    shards: Annotated[
        int | None,
        Field(
            ge=1,
            le=100_000,
            description="Number of equally large shards, at least one for each part.",
        ),
    ] = None
    shard_documents: Annotated[
        int,
        used_without("shards"),
        used_without("shard_tokens"),
        Field(ge=1, description="Lines in a shard at most; shards are equally large."),
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

    @field_validator("end_of_text")
    @classmethod
    def _a_token(cls, token: str | int | None) -> str | int | None:
        if isinstance(token, str) and token.isdecimal() and token.isascii():
            token = int(token)
        if isinstance(token, int) and not 0 <= token < ID_LIMIT:
            raise ValueError(f"the id of a token is from 0 to {ID_LIMIT - 1:,}")
        if token == "":
            raise ValueError("it is empty")
        return token

    @field_validator("meta")
    @classmethod
    def _names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if "" in names:
            raise ValueError("a name is empty")
        if len({*names}) < len(names):
            raise ValueError("a name appears twice")
        return names
