"""The settings of `score`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from curate.annotated.spec import QualitySpec
from curate.media.names import LITE0, LOG_MEL
from curate.spec import Seed, Spec, path_unless_named, used_with

ENCODERS = ("auto", "minilm", "use-m3", "chargram")
"""The encoders by name; anything else is a SentenceTransformer's name or path."""

Group = Literal["source", "language", "license"]
"""What documents can be grouped by before there are scores."""


class WindowsSpec(Spec):
    """How a text is scored that is longer than an encoder reads: window by window."""

    size: Annotated[int, Field(ge=20, description="Characters of a window.")] = 1_000
    by: Annotated[
        Literal["mean", "minimum", "share_below"],
        Field(description="The quality of a document from those of its windows."),
    ] = "mean"
    bound: Annotated[
        float,
        used_with(by="share_below"),
        Field(ge=0, le=1, description="Quality is 1 minus the share of windows below this."),
    ] = 0.5


class MediaEncodersSpec(Spec):
    """The encoders of what documents hold beside text; null leaves it unread."""

    image: Annotated[
        str | None,
        path_unless_named(LITE0),
        Field(
            min_length=1,
            description="For images and films: efficientnet-lite0, or a folder with a CLIP.",
        ),
    ] = LITE0
    audio: Annotated[
        str | None,
        path_unless_named(LOG_MEL),
        Field(min_length=1, description="For sounds: log-mel, or a folder with a model."),
    ] = LOG_MEL

    def as_mapping(self) -> dict[str, str | None]:
        """The encoders by kind."""
        return {"image": self.image, "audio": self.audio}


class ScoreSpec(Spec):
    """Which questions are learned, from what of a text, and what quality means."""

    question: Annotated[
        tuple[str, ...] | None,
        Field(min_length=1, description="What to learn; by default the form's first question."),
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
    media: Annotated[
        MediaEncodersSpec, Field(description="Encoders of images, films and sounds.")
    ] = MediaEncodersSpec()
    features: Annotated[
        Literal["auto", "embeddings", "characters", "both"],
        Field(description="What heads read; `auto` chooses out of fold."),
    ] = "auto"
    class_weights: Annotated[
        Literal["auto", "none", "balanced"],
        Field(description="Whether rare classes weigh more; `auto` chooses out of fold."),
    ] = "auto"
    calibration: Annotated[
        Literal["auto", "temperature", "shifted", "platt", "isotonic", "venn_abers"],
        Field(description="How probabilities are calibrated; `auto` chooses out of fold."),
    ] = "auto"
    calibrate_by: Annotated[
        Group | None,
        Field(description="Groups with calibrations of their own; badly fitted ones abstain."),
    ] = None
    centre_by: Annotated[
        Group | None,
        Field(description="Learn only from differences within these groups."),
    ] = None
    windows: Annotated[
        WindowsSpec | None, Field(description="Score long texts window by window.")
    ] = None
    folds: Annotated[int, Field(ge=2, description="Folds for labelled documents.")] = 5
    resamples: Annotated[
        int, Field(ge=2, description="Heads behind `spread_low` and `spread_high`.")
    ] = 20
    seed: Annotated[Seed, Field(description="Seed of folds and resamples.")] = 0

    @field_validator("question", mode="before")
    @classmethod
    def _one_or_more(cls, question: Any) -> Any:
        return (question,) if isinstance(question, str) else question

    @field_validator("question")
    @classmethod
    def _each_once(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        twice = [name for place, name in enumerate(names or ()) if name in (names or ())[:place]]
        if twice:
            raise ValueError(f"{twice[0]} appears twice")
        return names
