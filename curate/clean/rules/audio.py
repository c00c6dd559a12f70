"""A rule set for audio: duration, sampling rate, clipping and silence.

Recordings below 8 kHz are no longer speech of a telephone (ITU-T G.711). The other limits are
ours: more than 1 % of samples at full scale is audible distortion, and a sound of which nine tenths
lie 60 decibels below full scale holds next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from curate.clean.rules.signals import Signal

if TYPE_CHECKING:
    from curate.clean.media.sight import Sight

SIGNALS: Mapping[str, Signal] = {
    "unreadable": Signal("1 if it cannot be decoded, is missing or has changed", high=0),
    "seconds": Signal("duration", low=0.5),
    "rate": Signal("samples a second, as recorded", low=8000),
    "clipped": Signal("share of the samples at full scale", high=0.01),
    "silent": Signal("share of the time 60 decibels below full scale, or lower", high=0.9),
    "loudness": Signal("root mean square, in decibels below full scale"),
}


def see(sight: Sight, prepared: Any) -> dict[str, float]:
    """The signals of a sound."""
    sound = sight.sound
    return {
        "unreadable": 0.0,
        "seconds": sound.seconds,
        "rate": float(sight.medium.rate or float("nan")),
        "clipped": sound.clipped,
        "silent": sound.silent,
        "loudness": sound.loudness,
    }
