"""A rule set for images: size, shape, format, and whether there is something to see.

- Width, height and aspect: at least 200 pixels a side, and no side three times the other, as in
  the basic filter of DataComp (Gadre et al. 2023, arXiv 2304.14108, section 4.1).
- Format: one that trainers read.
- `blank` is the share of the most frequent grey (of 256, with its neighbours), `entropy` that of
  the greys in bits, `sharpness` the variance of the Laplacian (Pech-Pacheco et al. 2000) in greys
  from 0 to 255. All three are of the picture at 512 pixels at most. Their limits are ours: they
  only drop pictures in which next to nothing is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from curate.clean.rules.signals import Signal
from curate.spec import Spec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from curate.clean.media.sight import Sight

SIGNALS: Mapping[str, Signal] = {
    "unreadable": Signal("1 if it cannot be decoded, is missing or has changed", high=0),
    "width": Signal("pixels from left to right", low=200),
    "height": Signal("pixels from top to bottom", low=200),
    "aspect": Signal("the longer side over the shorter one", high=3),
    "strange_format": Signal("1 if its format is not one of `image.formats`", high=0),
    "frames": Signal("pictures in it; more than 1 is an animation"),
    "blank": Signal("share of the pixels with the most frequent grey", high=0.995),
    "entropy": Signal("bits of the greys, 0 to 8", low=0.1),
    "sharpness": Signal("variance of the Laplacian of greys from 0 to 255", low=5),
}

FORMATS = ("png", "jpeg", "webp", "gif", "bmp", "tiff", "avif")


class ImageSpec(Spec):
    """What the set `image` takes for granted."""

    formats: Annotated[
        tuple[str, ...], Field(min_length=1, description="Formats that pass, as in png or jpeg.")
    ] = FORMATS


def prepare(workspace: Any, settings: ImageSpec) -> tuple[str, ...]:
    """The formats that pass."""
    return settings.formats


def see(sight: Sight, formats: Sequence[str]) -> dict[str, float]:
    """The signals of an image."""
    picture = sight.picture
    width, height = sight.medium.width or picture.width, sight.medium.height or picture.height
    return {
        "unreadable": 0.0,
        "width": float(width),
        "height": float(height),
        "aspect": max(width, height) / max(1, min(width, height)),
        "strange_format": float((sight.medium.format or "") not in formats),
        "frames": float(sight.medium.frames or 1),
        **looks(picture),
    }


def looks(picture: Image) -> dict[str, float]:
    """How blank, varied and sharp a picture is."""
    import numpy as np

    greys = np.asarray(picture.convert("L"))
    counts = np.bincount(greys.ravel(), minlength=256)
    shares = counts[counts > 0] / greys.size
    most = int(counts.argmax())
    return {
        "blank": float(counts[max(0, most - 1) : most + 2].sum() / greys.size),
        "entropy": abs(float(-(shares * np.log2(shares)).sum())),
        "sharpness": sharpness(greys),
    }


def sharpness(greys: NDArray[np.uint8]) -> float:
    """The variance of the Laplacian over the inner pixels; 0 where there are none."""
    import numpy as np

    if min(greys.shape) < 3:
        return 0.0
    own = greys.astype(np.int16)
    inner = own[1:-1, 1:-1] * 4
    inner -= own[:-2, 1:-1] + own[2:, 1:-1]
    inner -= own[1:-1, :-2] + own[1:-1, 2:]
    return float(inner.var(dtype=np.float32))
