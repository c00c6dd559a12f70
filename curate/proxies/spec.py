"""The settings of proxies: which one, and how a transformer is made and trained."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from curate.spec import PATH, Spec, UsedIf, used_with, used_without


class TransformerSpec(Spec):
    """A small transformer, trained from scratch or from a model in a folder."""

    size: Annotated[
        Literal["tiny", "small", "medium"],
        used_without("start_from"),
        Field(description="Of a GPT-2: .8, 5 or 26 million parameters; the rest follows."),
    ] = "tiny"
    tokens: Annotated[
        Literal["bytes", "bpe"],
        used_without("start_from"),
        Field(description="What it reads: bytes, or a BPE learned from the texts."),
    ] = "bytes"
    vocabulary: Annotated[
        int,
        UsedIf(lambda spec: spec.tokens == "bpe" and not spec.start_from, "without tokens bpe"),
        Field(ge=300, le=65_000, description="Tokens of the BPE at most."),
    ] = 2_000
    start_from: Annotated[
        str | None,
        PATH,
        Field(description="A folder with another causal language model and its tokenizer."),
    ] = None
    steps: Annotated[
        int, used_without("epochs"), Field(ge=1, description="Batches read in training.")
    ] = 60
    epochs: Annotated[
        float | None, Field(gt=0, le=10_000, description="How often the mixture is read.")
    ] = None
    context: Annotated[
        int | None, Field(ge=8, description="Tokens it sees; by default that of the size.")
    ] = None
    batch: Annotated[int, Field(ge=1, description="Windows of `context` tokens in a step.")] = 32
    optimizer: Annotated[
        Literal["adamw", "adam", "sgd"], Field(description="`sgd` has a momentum.")
    ] = "adamw"
    rate: Annotated[
        float | None, Field(gt=0, description="The highest; by default that of the size.")
    ] = None
    momentum: Annotated[
        float, used_with(optimizer="sgd"), Field(ge=0, lt=1, description="Of `sgd`.")
    ] = 0.9
    schedule: Annotated[
        Literal["cosine", "constant"], Field(description="How the rate goes after the warm-up.")
    ] = "cosine"
    warmup: Annotated[
        float, Field(ge=0, le=1, description="Share of the steps in which the rate rises.")
    ] = 0.2
    weight_decay: Annotated[
        float | None, Field(ge=0, description="Of matrices; default .1 with adamw, else 0.")
    ] = None
    dropout: Annotated[
        float, Field(ge=0, lt=1, description="Share of a layer's numbers left out in training.")
    ] = 0.0
    clip: Annotated[
        float | None, Field(gt=0, description="Largest norm of a gradient; null: none.")
    ] = 1.0
    marks: Annotated[int, Field(ge=1, description="Times it is measured while it trains.")] = 8
    patience: Annotated[
        int | None,
        Field(ge=1, description="Marks without a better one that end training; the best is kept."),
    ] = None
    prompt: Annotated[
        str,
        Field(description="What it continues before and after training; empty: a new document."),
    ] = ""
    sample: Annotated[int, Field(ge=0, description="Tokens it writes then; 0: it does not.")] = 120
    temperature: Annotated[float, Field(ge=0.01, description="Of what it writes.")] = 0.8


class ProxySpec(Spec):
    """Which small model stands for a large one."""

    proxy: Annotated[
        Literal["ngram", "transformer"],
        Field(description="Which model learns the mixtures; giving `transformer` implies it."),
    ] = "ngram"
    transformer: Annotated[
        TransformerSpec,
        used_with(proxy="transformer"),
        Field(description="How the transformer is made and trained."),
    ] = TransformerSpec()
    device: Annotated[
        Literal["auto", "cpu", "cuda"],
        used_with(proxy="transformer"),
        Field(description="What the transformer is trained on; `auto`: CUDA where there is one."),
    ] = "auto"

    @model_validator(mode="before")
    @classmethod
    def _implied(cls, data: Any) -> Any:
        is_implied = isinstance(data, dict) and data.get("transformer") and "proxy" not in data
        return {**data, "proxy": "transformer"} if is_implied else data
