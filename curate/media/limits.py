"""How large a medium may be: what goes beyond is refused before it is decoded."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from curate.spec import Spec


class Limits(Spec):
    """Bounds of one medium; one beyond them is kept aside with its reason."""

    pixels: Annotated[
        int, Field(ge=1, le=100_000_000, description="Of an image, or of a frame of a video.")
    ] = 100_000_000
    frames: Annotated[int, Field(ge=1, description="Of an animated image, or of a video.")] = (
        1_000_000
    )
    seconds: Annotated[float, Field(gt=0, description="Of audio or video.")] = 6 * 3600.0
    bytes: Annotated[int, Field(ge=1, description="Of a file of audio or video.")] = 4 << 30


LIMITS = Limits()
