"""The settings of `evaluate`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from curate.proxies.spec import ProxySpec


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
