"""A rule set for writing in pictures: the share of a picture that lines of text cover.

The detector is that of PaddleOCR (Apache-2.0), from the package `rapidocr-onnxruntime`. The limit
is ours: where lines cover half of a picture, it is a page. Of a film the frame with the most lines
counts, of four.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from curate.clean.rules.signals import Signal
from curate.media.packaged import folder_of

if TYPE_CHECKING:
    from PIL.Image import Image

    from curate.clean.media.sight import Sight

SIGNALS: Mapping[str, Signal] = {
    "share": Signal("share of the picture that lines of text cover", high=0.5),
    "lines": Signal("lines of text"),
}

MODULE = "rapidocr_onnxruntime"


def prepare(workspace: Any, settings: Any) -> str:
    """The version of the package. Raises CurateError if it is missing."""
    from importlib.metadata import version

    folder_of(MODULE, "the set writing")
    return version("rapidocr-onnxruntime")


@cache
def _detector() -> Any:
    import logging

    from rapidocr_onnxruntime import RapidOCR

    logging.getLogger("RapidOCR").setLevel(logging.ERROR)
    return RapidOCR()


def see(sight: Sight, prepared: str) -> dict[str, float]:
    """The share and the number of lines in a picture."""
    seen = [covered(picture) for picture in sight.some_pictures]
    share, lines = max(seen)
    return {"share": share, "lines": float(lines)}


def covered(picture: Image) -> tuple[float, int]:
    """The share of a picture that lines of text cover, and their number."""
    import numpy as np

    boxes, _ = _detector()(np.asarray(picture)[:, :, ::-1], use_cls=False, use_rec=False)
    areas = [_area(box) for box in boxes or ()]
    return min(1.0, sum(areas) / (picture.width * picture.height)), len(areas)


def _area(corners: Sequence[Sequence[float]]) -> float:
    """The area of a polygon (Gauss's formula)."""
    turns = zip(corners, [*corners[1:], corners[0]], strict=True)
    return abs(sum(x * w - z * y for (x, y), (z, w) in turns)) / 2
