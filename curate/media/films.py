"""Video decoded: some frames as pictures, never the whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from curate.media.limits import LIMITS, Limits
from curate.media.medium import MediumError
from curate.media.streams import streams

if TYPE_CHECKING:
    from PIL.Image import Image

Frame = tuple[float, "Image"]
"""A frame: its time in seconds from the start, and its picture in RGB."""


def key_frames(file: BinaryIO, most: int = 8, *, limits: Limits = LIMITS) -> list[Frame]:
    """Up to `most` key frames, spread evenly over the video.

    Each is the key frame at or before a moment; one that serves two moments is there once.
    MediumError if there are no pictures, or they cannot be decoded.
    """
    with streams(file, limits) as container:
        stream = _video(container)
        length = _length(container, stream)
        frames: dict[int, Any] = {}
        for place in range(most):
            frame = _key_frame_at(container, stream, length * (place + 0.5) / most)
            if frame is not None:
                frames.setdefault(frame.pts or 0, frame)
        if not frames:
            raise MediumError("not one frame of it can be decoded")
        return [(_time(frame, stream), frame.to_image()) for _, frame in sorted(frames.items())]


def frames(
    file: BinaryIO, every: float = 1.0, *, most: int = 100_000, limits: Limits = LIMITS
) -> Iterator[Frame]:
    """Yield a frame each so many seconds, in order; all frames are decoded on the way."""
    with streams(file, limits) as container:
        stream = _video(container)
        due = 0.0
        for frame in container.decode(stream):
            time = _time(frame, stream)
            if time < due:
                continue
            yield time, frame.to_image()
            due = max(due + every, time)
            most -= 1
            if not most:
                return


def _video(container: Any) -> Any:
    stream = next((own for own in container.streams.video), None)
    if stream is None:
        raise MediumError("it holds no pictures")
    return stream


def _length(container: Any, stream: Any) -> float:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return (container.duration or 0) / 1_000_000


def _key_frame_at(container: Any, stream: Any, seconds: float) -> Any:
    start = stream.start_time or 0
    container.seek(start + int(seconds / stream.time_base), stream=stream)
    stream.codec_context.skip_frame = "NONKEY"
    return next(iter(container.decode(stream)), None)


def _time(frame: Any, stream: Any) -> float:
    return float(((frame.pts or 0) - (stream.start_time or 0)) * stream.time_base)
