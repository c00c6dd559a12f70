"""Audio decoded: mono float32 at one rate, window by window."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from curate.media.limits import LIMITS, Limits
from curate.media.medium import MediumError
from curate.media.needing import needed
from curate.media.streams import streams

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def windows(
    file: BinaryIO, rate: int = 16000, *, seconds: float = 1.0, limits: Limits = LIMITS
) -> Iterator[NDArray[np.float32]]:
    """Yield the sound in windows of so many seconds, the last one shorter.

    Each is float32 of shape (samples,), mono, −1 to 1, at `rate` samples a second. MediumError if
    there is no sound, or it cannot be decoded.
    """
    import numpy as np

    length = max(1, round(rate * seconds))
    waiting: list[NDArray[np.float32]] = []
    have = 0
    for samples in _decoded(file, rate, limits):
        waiting.append(samples)
        have += len(samples)
        if have < length:
            continue
        joined = np.concatenate(waiting)
        whole = have // length * length
        yield from joined[:whole].reshape(-1, length)
        waiting, have = [joined[whole:]], have - whole
    if have:
        yield np.concatenate(waiting)


def _decoded(file: BinaryIO, rate: int, limits: Limits) -> Iterator[NDArray[np.float32]]:
    av = needed("av")
    with streams(file, limits) as container:
        stream = next(iter(container.streams.audio), None)
        if stream is None:
            raise MediumError("it holds no sound")
        resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
        left = round(limits.seconds * rate)
        for frame in container.decode(stream):
            for samples in _arrays(resampler.resample(frame)):
                yield samples
                left -= len(samples)
                if left < 0:
                    raise MediumError(f"more than {limits.seconds:.0f} s")
        yield from _arrays(resampler.resample(None))


def _arrays(frames: Any) -> Iterator[NDArray[np.float32]]:
    for frame in frames:
        yield frame.to_ndarray().reshape(-1)
