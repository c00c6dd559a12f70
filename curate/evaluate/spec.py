"""The settings of `evaluate`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from curate.names import suggestion
from curate.proxies.spec import ProxySpec

KEYS = ("source", "language", "license", "host", "length")
"""What documents are compared by, beside `meta.KEY`."""


class EvaluateSpec(ProxySpec):
    """How the mixture is compared with plain ones."""

    seeds: Annotated[int, Field(ge=2, description="Draws of each mixture.")] = 5
    train_bytes: Annotated[
        int,
        Field(
            ge=10_000, description="Bytes of candidates read by the proxy at most, drawn by hash."
        ),
    ] = 8_000_000
    holdout_bytes: Annotated[
        int, Field(ge=1_000, description="Bytes of holdout read of each source at most.")
    ] = 200_000
    bias: Annotated[
        tuple[str, ...],
        Field(
            description="Whose documents are compared: source, language, license, host, length, "
            "meta.KEY."
        ),
    ] = ("language", "source", "length")

    @field_validator("bias")
    @classmethod
    def _known_keys(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        for place, key in enumerate(keys):
            if key not in KEYS and not (key.startswith("meta.") and key != "meta."):
                known = suggestion(key, (*KEYS, "meta.KEY"))
                raise ValueError(f"nothing to compare by is called {key} ({known})")
            if key in keys[:place]:
                raise ValueError(f"{key} stands twice")
        return keys
