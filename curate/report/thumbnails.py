"""Thumbnails of images and films, and where a page beside the files can play them.

A thumbnail is drawn from pixels and written by us as a JPEG within the page. So nothing of a
file itself stands there: no metadata, and nothing that could run.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from curate.media import Medium, MediumError
from curate.media.opening import located, opened, read_checked

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 144
"""Pixels of the longer side."""

QUALITY = 72


@dataclass(frozen=True)
class Thumbnail:
    """A medium as the page shows it.

    Attributes:
        id: The document.
        words: What stands below: the name, and why there is no picture where there is none.
        kind: image, audio or video.
        source: The picture as a data address, or nothing.
        plays: The address of the file from the page, where it can be played; or nothing.
    """

    id: str
    words: str
    kind: str
    source: str = ""
    plays: str = ""


def thumbnail(id: str, medium: Medium, folder: Path, *, side: int = SIDE) -> Thumbnail:
    """The thumbnail of a medium whose address is relative to a folder, where the page lies too.

    `side` are the pixels of its longer side.
    """
    plays = "" if medium.kind == "image" else playable(medium, folder)
    name = medium.address.rpartition("/")[2]
    try:
        image = _picture(medium, folder)
    except MediumError as error:
        return Thumbnail(id, f"{name}: {error}", medium.kind)
    source = "" if image is None else as_jpeg(image, side)
    return Thumbnail(id, name, medium.kind, source, plays)


def _picture(medium: Medium, folder: Path) -> Image | None:
    """The pixels that stand for a medium; None for a sound. MediumError if there are none."""
    if medium.sha256 is None:
        raise MediumError("its bytes are not here")
    if medium.kind == "image":
        from curate.media.images import decode

        return decode(read_checked(medium, folder))
    if medium.kind == "audio":
        return None
    from curate.media.films import key_frames

    with opened(medium.address, folder) as file:
        frames = key_frames(file, most=1)
    if not frames:
        raise MediumError("it has no picture")
    return frames[0][1]


def as_jpeg(image: Image, side: int = SIDE) -> str:
    """A small picture as a data address."""
    small: Any = image.convert("RGB")
    small.thumbnail((side, side))
    small.info.clear()
    buffer = BytesIO()
    small.save(buffer, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{b64encode(buffer.getvalue()).decode()}"


def playable(medium: Medium, folder: Path) -> str:
    """The address of a file from a page in the same folder; nothing if it lies elsewhere."""
    if medium.sha256 is None or Path(medium.address).is_absolute():
        return ""
    path, within = located(medium.address, folder)
    is_beside = path.is_file() and path.resolve().is_relative_to(folder.resolve())
    return quote(medium.address) if is_beside and not within else ""
