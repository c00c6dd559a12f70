"""A rule set for video: duration, size, frames a second, and whether something is to be seen.

What is seen is told from some frames: 24 spread over the film, or the key frames of one longer than
two minutes. `black`, `still`, `blank` and `sharpness` are those of the frames. All limits are ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from curate.clean.rules.image import looks
from curate.clean.rules.signals import Signal
from curate.media.fingerprints import cells

if TYPE_CHECKING:
    from PIL.Image import Image

    from curate.clean.media.sight import Sight

SIGNALS: Mapping[str, Signal] = {
    "unreadable": Signal("1 if it cannot be decoded, is missing or has changed", high=0),
    "seconds": Signal("duration", low=0.5),
    "width": Signal("pixels from left to right", low=200),
    "height": Signal("pixels from top to bottom", low=200),
    "aspect": Signal("the longer side over the shorter one", high=3),
    "fps": Signal("frames a second", low=5),
    "black": Signal("share of the frames that are black", high=0.5),
    "still": Signal("share of the frames that are as the one before", high=0.95),
    "blank": Signal("median share of the most frequent grey in a frame", high=0.995),
    "sharpness": Signal("median variance of the Laplacian of a frame", low=5),
}

BLACK, STILL = 16, 0.5
"""Greys, 0 to 255: a black frame is darker, and a still one differs less on the mean."""


def see(sight: Sight, prepared: Any) -> dict[str, float]:
    """The signals of a film."""
    import numpy as np

    frames, medium = sight.frames, sight.medium
    width, height = medium.width or frames[0].width, medium.height or frames[0].height
    seen = [looks(frame) for frame in frames]
    return {
        "unreadable": 0.0,
        "seconds": float(medium.seconds or float("nan")),
        "width": float(width),
        "height": float(height),
        "aspect": max(width, height) / max(1, min(width, height)),
        "fps": float(medium.fps or float("nan")),
        **motion(frames),
        "blank": float(np.median([one["blank"] for one in seen])),
        "sharpness": float(np.median([one["sharpness"] for one in seen])),
    }


def motion(frames: Sequence[Image]) -> dict[str, float]:
    """The shares of frames that are black, and that are as the one before; NaN for one frame."""
    import numpy as np

    greys = np.stack([cells(frame) for frame in frames]).astype(np.float32)
    still = np.abs(np.diff(greys, axis=0)).mean(axis=(1, 2)) < STILL
    return {
        "black": float((greys.max(axis=(1, 2)) < BLACK).mean()),
        "still": float(still.mean()) if len(still) else float("nan"),
    }
