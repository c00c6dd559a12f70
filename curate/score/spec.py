"""The settings of `score`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from curate.spec import Seed, Spec, path_unless_named

ENCODERS = ("auto", "minilm", "use-m3", "chargram")
"""The encoders by name; anything else is a SentenceTransformer's name or path."""


class QualitySpec(Spec):
    """How quality follows from the predicted answers; it lies between 0 and 1."""

    values: Annotated[
        dict[str, Annotated[float, Field(ge=0, le=1)]] | None,
        Field(description="Value → quality, 0 to 1; the expectation is taken."),
    ] = None
    clarity: Annotated[
        tuple[str, ...] | None,
        Field(min_length=1, description="The largest of these classes' probabilities."),
    ] = None

    @model_validator(mode="after")
    def _one(self) -> QualitySpec:
        if (self.values is None) == (self.clarity is None):
            raise ValueError("give either `values` or `clarity`")
        return self


class ScoreSpec(Spec):
    """Which question is learned, by which encoder, and what quality means."""

    question: Annotated[
        str | None, Field(description="The question to learn; by default the form's first.")
    ] = None
    quality: Annotated[
        QualitySpec | None, Field(description="By default a rating scaled to 0..1; else none.")
    ] = None
    encoder: Annotated[
        str,
        path_unless_named(*ENCODERS),
        Field(
            min_length=1, description="auto, minilm, use-m3, chargram, or a SentenceTransformer."
        ),
    ] = "auto"
    folds: Annotated[int, Field(ge=2, description="Folds for labelled documents.")] = 5
    resamples: Annotated[
        int, Field(ge=2, description="Heads behind `low` and `high`, how far heads differ.")
    ] = 20
    seed: Annotated[Seed, Field(description="Seed of folds and resamples.")] = 0
