"""Tokens of media: declared, since a model's own count depends on its encoder."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any

from pydantic import Field, field_validator

from curate.media.medium import Medium
from curate.spec import Spec

MOST = 1_000_000
"""Tokens of one image, or of a second, at most."""

_SIZE = re.compile(r"(\d+)\s*[x×]\s*(\d+)")
_RATE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:/\s*s)?")


class ByArea(Spec):
    """Tokens of an image by its area: one for each patch that is begun, within bounds."""

    per: Annotated[str, Field(description="The patch of a token, in pixels, as in `28x28`.")]
    least: Annotated[int, Field(ge=0, description="A small image counts as many.")] = 1
    most: Annotated[
        int | None, Field(ge=1, description="A large image counts no more: it is scaled down.")
    ] = None

    @field_validator("per")
    @classmethod
    def _a_size(cls, value: str) -> str:
        match = _SIZE.fullmatch(value.strip())
        if not match or "0" in (match[1].lstrip("0") or "0", match[2].lstrip("0") or "0"):
            raise ValueError("a patch reads as in 28x28")
        return f"{int(match[1])}x{int(match[2])}"

    def count(self, width: int, height: int) -> int:
        """Tokens of an image of so many pixels."""
        across, down = map(int, self.per.split("x"))
        patches = math.ceil(width / across) * math.ceil(height / down)
        return max(self.least, min(patches, self.most or patches))


class MediaTokens(Spec):
    """Tokens that media count as; a kind that is not named counts none."""

    image: Annotated[
        int | ByArea,
        Field(description="Of each image: a number, or `{per: 28x28, most: 1280}` by its area."),
    ] = 0
    audio: Annotated[str, Field(description="Of each second, as in `25/s`.")] = "0/s"
    video: Annotated[str, Field(description="Of each second, as in `144/s`.")] = "0/s"

    @field_validator("image")
    @classmethod
    def _none_below_zero(cls, value: int | ByArea) -> int | ByArea:
        if isinstance(value, int) and not 0 <= value <= MOST:
            raise ValueError(f"it should be 0 or more, and {MOST} at most")
        return value

    @field_validator("audio", "video", mode="before")
    @classmethod
    def _a_rate(cls, value: Any) -> str:
        match = _RATE.fullmatch(str(value).strip())
        if not match:
            raise ValueError("tokens a second read as in 25/s")
        if float(match[1]) > MOST:
            raise ValueError(f"no second counts more than {MOST} tokens")
        return f"{float(match[1]):.6f}".rstrip("0").rstrip(".") + "/s"

    def rate(self, kind: str) -> float:
        """Tokens of a second of audio or video."""
        text: str = getattr(self, kind)
        return float(text.removesuffix("/s"))

    def of(self, medium: Medium) -> int:
        """The tokens of a medium; 0 where its size or duration is not known."""
        if medium.kind != "image":
            return math.ceil(self.rate(medium.kind) * (medium.seconds or 0) - 1e-9)
        if isinstance(self.image, ByArea):
            known = medium.width and medium.height
            return self.image.count(medium.width or 0, medium.height or 0) if known else 0
        return self.image


def tokens(medium: Medium, counted: MediaTokens) -> int:
    """The tokens of a medium; 0 where its size or duration is not known."""
    return counted.of(medium)
