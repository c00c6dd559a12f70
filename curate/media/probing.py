"""What a medium is: its kind, size and duration, found without decoding more than one frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, BinaryIO

from curate.media.hiding import hidden
from curate.media.images import loaded, parsed
from curate.media.kinds import HEAD, fits, kind_and_format, stranger
from curate.media.limits import LIMITS, Limits
from curate.media.medium import Kind, MediumError
from curate.media.streams import streams

CUT_OFF = 0.95
"""A file whose packets end before this share of the promised duration is cut off."""


@dataclass(frozen=True)
class Facts:
    """What is known of a medium; the attributes are those of `Medium`."""

    kind: Kind
    format: str
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    frames: int | None = None
    rate: int | None = None
    fps: float | None = None


def probe(
    file: BinaryIO, head: bytes = b"", *, suffix: str = "", limits: Limits = LIMITS
) -> Facts | str:
    """The facts of an open file, or the reason why it cannot be used.

    `head` are its first bytes, if they were read before. `suffix`, in lower case, is that of its
    name: one that promises another format is a reason. No more than 1 GB of memory is taken.
    """
    try:
        return _probe(file, head, suffix, limits)
    except MediumError as error:
        return str(error)


def _probe(file: BinaryIO, head: bytes, suffix: str, limits: Limits) -> Facts:
    file.seek(0)
    head = head or file.read(HEAD)
    if not head:
        raise MediumError("an empty file")
    found = kind_and_format(head)
    if found is None:
        raise MediumError(stranger(head) or "no image, audio or video of a format that is read")
    kind, format = found
    if not fits(suffix, format):
        raise MediumError(f"its name ends in {suffix}, and it holds {format}")
    if reason := _cut_off(file, head) or hidden(file, format):
        raise MediumError(reason)
    file.seek(0)
    return _image(file, format, limits) if kind == "image" else _stream(file, format, limits)


def _cut_off(file: BinaryIO, head: bytes) -> str:
    """Whether a RIFF file (WAV, AVI, WebP) is shorter than it says; a stream does not say."""
    file.seek(0, 2)
    size = file.tell()
    promised = int.from_bytes(head[4:8], "little")
    if head[:4] != b"RIFF" or promised in (0, 0xFFFFFFFF) or promised + 7 <= size:
        return ""
    return f"cut off: {size} of {promised + 8} bytes are there"


def _image(file: BinaryIO, format: str, limits: Limits) -> Facts:
    with parsed(file, format, limits.pixels) as image:
        frames = int(getattr(image, "n_frames", 1))
        if frames > limits.frames:
            raise MediumError(f"{frames} frames, and {limits.frames} are allowed")
        width, height = image.size
        if format == "jpeg":  # an eighth of the size: all of the data is read, few pixels made
            image.draft("RGB", (width // 8, height // 8))
        image.seek(0)
        loaded(image)
    return Facts("image", format, width, height, frames=frames)


def _stream(file: BinaryIO, format: str, limits: Limits) -> Facts:
    size = file.seek(0, 2)
    if size > limits.bytes:
        raise MediumError(f"{size} bytes, and {limits.bytes} are allowed")
    with streams(file, limits) as container:
        video = _pictures(container)
        audio = next(iter(container.streams.audio), None)
        main = video or audio
        if main is None:
            raise MediumError("it holds neither sound nor pictures")
        promised = _seconds(main, main.duration) or (container.duration or 0) / 1e6
        _within(promised, limits)
        _first_frame(container, main)
        container.seek(0)
        seconds, packets = _demuxed(container, main, limits)
        if promised and seconds < CUT_OFF * promised:
            raise MediumError(f"cut off: {seconds:.1f} of {promised:.1f} s are there")
        width, height, fps, frames = _of_video(video, packets)
        rate = audio.codec_context.sample_rate if audio else None
        kind: Kind = "video" if video else "audio"
        return Facts(kind, format, width, height, round(seconds, 6), frames, rate, fps)


def _pictures(container: Any) -> Any:
    """The stream of moving pictures; a cover picture of a song is none."""
    return next((own for own in container.streams.video if not int(own.disposition) & 0x400), None)


def _of_video(video: Any, packets: int) -> tuple[int | None, int | None, float | None, int | None]:
    if video is None:
        return None, None, None, None
    context = video.codec_context
    fps = float(video.average_rate) if video.average_rate else None
    return context.width, context.height, fps, packets


def _seconds(stream: Any, ticks: int | None) -> float | None:
    return float(ticks * stream.time_base) if ticks and stream.time_base else None


def _within(seconds: float | None, limits: Limits) -> None:
    if seconds is not None and seconds > limits.seconds:
        raise MediumError(f"{seconds:.0f} s, and {limits.seconds:.0f} are allowed")


def _first_frame(container: Any, stream: Any) -> None:
    """Decode one frame. MediumError if there is none, as with a codec that is not read."""
    if next(iter(container.decode(stream)), None) is None:
        raise MediumError("not one frame of it can be decoded")


def _demuxed(container: Any, stream: Any, limits: Limits) -> tuple[float, int]:
    """Seconds and number of the packets of a stream, which are read and not decoded."""
    first, last, packets = None, 0, 0
    for packet in container.demux(stream):
        at = packet.pts if packet.pts is not None else packet.dts
        if at is None:
            continue
        packets += 1
        first = at if first is None else min(first, at)
        last = max(last, at + (packet.duration or 0))
        if packets > limits.frames and stream.type == "video":
            raise MediumError(f"more than {limits.frames} frames")
        if packets % 1000 == 0:
            _within(_seconds(stream, last - first), limits)
    seconds = _seconds(stream, last - (first or 0)) or 0.0
    _within(seconds, limits)
    return seconds, packets
