"""Audio and video opened by FFmpeg: one demuxer for each format, no other file or network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from curate.media.boxes import check_boxes
from curate.media.kinds import DEMUXERS, HEAD, kind_and_format
from curate.media.limits import LIMITS, Limits
from curate.media.medium import MediumError
from curate.media.needing import needed

if TYPE_CHECKING:
    from av.container import InputContainer


@contextmanager
def streams(file: BinaryIO, limits: Limits = LIMITS) -> Iterator[InputContainer]:
    """Open the container of audio or video at its start.

    MediumError if it is none, is damaged, or its frames have more pixels than allowed; any error of
    FFmpeg within the block is a MediumError too.
    """
    av = needed("av")
    file.seek(0)
    found = kind_and_format(file.read(HEAD))
    if found is None or found[1] not in DEMUXERS:
        raise MediumError("it is not audio or video of a format that can be read")
    demuxer = DEMUXERS[found[1]]
    if demuxer == "mov":
        check_boxes(file, limits.frames)
    file.seek(0)
    try:
        with av.open(
            file, format=demuxer, container_options={"max_streams": "20"}, metadata_errors="replace"
        ) as container:
            _bound(container, limits)
            yield container
    except av.FFmpegError as error:
        raise MediumError(_reason(error)) from None
    except (OverflowError, ValueError, MemoryError) as error:
        if isinstance(error, MediumError):
            raise
        raise MediumError(f"the file is damaged: {str(error)[:100]}") from None


def _bound(container: Any, limits: Limits) -> None:
    """Refuse frames beyond the limit, also those that only the coded data tells."""
    for stream in container.streams.video:
        context = stream.codec_context
        if context is None:
            continue
        if context.width * context.height > limits.pixels:
            raise MediumError(
                f"{context.width} x {context.height} pixels, and {limits.pixels} are allowed"
            )
        context.options = {"max_pixels": str(limits.pixels)}
        context.thread_count = 1


def _reason(error: Exception) -> str:
    words = getattr(error, "strerror", None) or str(error)
    return f"the file is damaged or cut off: {str(words)[:100]}"
