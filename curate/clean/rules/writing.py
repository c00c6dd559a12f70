"""A rule set for writing in pictures: the share of a picture that lines of text cover.

The detector is that of PaddleOCR (Apache-2.0), from the package `rapidocr-onnxruntime`. Pictures
of which a large part is text teach reading more than seeing: LLaVA and MMC4 cleaning drop them. The
limit is ours. Of a film the largest share of four frames counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from curate.clean.rules.signals import Signal
from curate.media.needing import needed

if TYPE_CHECKING:
    from PIL.Image import Image

    from curate.clean.media.sight import Sight

SIGNALS: Mapping[str, Signal] = {
    "share": Signal("share of the picture that lines of text cover", high=0.5),
    "lines": Signal("lines of text"),
}


def prepare(workspace: Any, settings: Any) -> str:
    """The version of the package. Raises CurateError if it is missing."""
    from importlib.metadata import version

    needed("rapidocr_onnxruntime")
    return version("rapidocr-onnxruntime")
