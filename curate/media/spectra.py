"""Log energies of sound in mel bands (Stevens, Volkmann and Newman 1937; Slaney's filters)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

RATE = 16_000
"""Samples a second that everything here expects."""

FLOOR = 1e-8
"""Energies below it are silence."""


def log_mel(samples: Floats, *, bands: int, length: int, hop: int) -> Floats:
    """The natural log of the energies in mel bands: frames x bands.

    Frames are `length` samples long (a Hann window) and start `hop` samples apart. Samples too few
    for a frame are one, with zeros behind them.
    """
    import numpy as np

    if len(samples) < length:
        samples = np.pad(samples, (0, length - len(samples)))
    frames = np.lib.stride_tricks.sliding_window_view(samples, length)[::hop]
    window = np.hanning(length).astype(np.float32)
    power = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2 / length
    return np.asarray(np.log(power @ _filters(bands, length) + FLOOR), np.float32)


@cache
def _filters(bands: int, length: int) -> Floats:
    """Triangles, evenly spaced in mel from 20 Hz to 8 kHz: frequencies x bands."""
    import numpy as np

    def mel(hertz: Floats) -> Floats:
        return np.asarray(2595 * np.log10(1 + hertz / 700), np.float32)

    low, high = mel(np.array([20.0, RATE / 2], np.float32)).tolist()
    edges = np.linspace(low, high, bands + 2)
    at = mel(np.fft.rfftfreq(length, 1 / RATE).astype(np.float32))[:, None]
    rising = (at - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - at) / np.diff(edges)[1:]
    return np.asarray(np.clip(np.minimum(rising, falling), 0, None), np.float32)
