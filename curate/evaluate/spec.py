"""The settings of `evaluate`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, field_validator

from curate.names import suggestion
from curate.proxies.spec import ProxySpec
from curate.spec import PATH, Spec

KEYS = ("source", "language", "license", "host", "length")
"""What documents are compared by, beside `meta.KEY`."""

MIXTURE: Literal["mixture"] = "mixture"
DYNAMIC = "dynamic"


class JudgeFile(Spec):
    """Texts of the user's that mixtures are judged on."""

    file: Annotated[
        str, PATH, Field(description="JSONL, JSON, CSV, TSV or Parquet; others as in `pool`.")
    ]
    text: Annotated[str, Field(min_length=1, description="The column or path of the text.")] = (
        "text"
    )


class WeightsArm(Spec):
    """The mixture with other shares of its groups."""

    file: Annotated[str, PATH, Field(description="JSON: group → share, as `mix` reads it.")]


class ExportArm(Spec):
    """What another export drew."""

    export: Annotated[str, PATH, Field(description="Its manifest.json.")]


Judge = Literal["pool", "promised", "good"] | JudgeFile
ArmSpec = (
    Literal["mixture", "proportional", "uniform", "random", "dynamic"] | WeightsArm | ExportArm
)


def name_of(entry: str | JudgeFile | WeightsArm | ExportArm) -> str:
    """What a judge or an arm is called: its word, or its path."""
    if isinstance(entry, str):
        return entry
    return entry.export if isinstance(entry, ExportArm) else entry.file


class EvaluateSpec(ProxySpec):
    """How the mixture is compared with others, and what it is judged on."""

    seeds: Annotated[int, Field(ge=2, description="Draws of each mixture.")] = 5
    train_bytes: Annotated[
        int,
        Field(
            ge=10_000, description="Bytes of candidates read by the proxy at most, drawn by hash."
        ),
    ] = 8_000_000
    holdout_bytes: Annotated[
        int,
        Field(ge=1_000, description="Bytes of holdout read of each source, or file, at most."),
    ] = 200_000
    judge: Annotated[
        tuple[Judge, ...],
        Field(min_length=1, description="pool, promised, good, or {file: PATH}."),
    ] = ("pool", "promised", "good")
    arms: Annotated[
        tuple[ArmSpec, ...],
        Field(
            description="mixture, proportional, uniform, random, dynamic, {file: w.json}, "
            "{export: manifest.json}.",
        ),
    ] = (MIXTURE, "proportional", "uniform")

    bias: Annotated[
        tuple[str, ...],
        Field(
            description="Whose documents are compared: source, language, license, host, length, "
            "meta.KEY."
        ),
    ] = ("language", "source", "length")

    @field_validator("judge", "arms")
    @classmethod
    def _each_once(cls, entries: tuple[Judge | ArmSpec, ...]) -> tuple[Judge | ArmSpec, ...]:
        names = [name_of(entry) for entry in entries]
        twice = [name for place, name in enumerate(names) if name in names[:place]]
        if twice:
            raise ValueError(f"{twice[0]} appears twice")
        return entries

    @field_validator("arms")
    @classmethod
    def _with_the_mixture(cls, arms: tuple[ArmSpec, ...]) -> tuple[ArmSpec, ...]:
        if MIXTURE not in arms:
            raise ValueError("mixture is not among them: every other arm is compared with it")
        if len(arms) == 1:
            raise ValueError("there is nothing to compare the mixture with")
        return (MIXTURE, *(arm for arm in arms if arm != MIXTURE))

    @field_validator("bias")
    @classmethod
    def _known_keys(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        for place, key in enumerate(keys):
            if key not in KEYS and not (key.startswith("meta.") and key != "meta."):
                known = suggestion(key, (*KEYS, "meta.KEY"))
                raise ValueError(f"nothing to compare by is called {key} ({known})")
            if key in keys[:place]:
                raise ValueError(f"{key} appears twice")
        return keys

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield the setting and the path of every file that it names."""
        for setting in ("judge", "arms"):
            for entry in getattr(self, setting):
                if not isinstance(entry, str):
                    yield f"evaluate.{setting}", name_of(entry)
