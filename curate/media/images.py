"""Images decoded: RGB, upright, on white, and bounded."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO

from curate.extras import install_line, is_there
from curate.media.kinds import HEAD, PILLOW, kind_and_format
from curate.media.limits import LIMITS
from curate.media.medium import MediumError
from curate.media.needing import needed

if TYPE_CHECKING:
    from PIL.Image import Image

_PIXELS = re.compile(r"\((\d+) pixels\)")

STRIP = 1 << 22
"""Pixels that are laid on white at once."""


def decode(data: bytes, *, most_pixels: int = LIMITS.pixels) -> Image:
    """The first frame as RGB: EXIF orientation applied, alpha on white.

    MediumError if it is no image, is damaged, or has more pixels. Two copies of the pixels (4 bytes
    each) are held at most.
    """
    found = kind_and_format(data[:HEAD])
    if found is None or found[0] != "image":
        raise MediumError("it is not an image")
    with parsed(io.BytesIO(data), found[1], most_pixels) as image:
        loaded(image)
        _turn_upright(image)
        return _rgb(image)


@contextmanager
def parsed(file: BinaryIO, format: str, most_pixels: int) -> Iterator[Image]:
    """The header of an image, by the parser of its format alone; no pixel is decoded.

    MediumError if it cannot be read, or has more pixels.
    """
    pillow = needed("PIL.Image")
    if format == "heic":
        _read_heic()
    with _reasons(), pillow.open(file, formats=[PILLOW[format]]) as image:
        width, height = image.size
        if width * height > most_pixels:
            raise MediumError(f"{width} x {height} pixels, and {most_pixels} are allowed")
        yield image


@cache
def _read_heic() -> None:
    """Let Pillow read HEIC. MediumError with the line that installs what does, if it is missing."""
    if not is_there("pillow_heif"):
        raise MediumError(f"HEIC needs the package pillow_heif: {install_line('pillow_heif')}")
    import_module("pillow_heif").register_heif_opener()


def loaded(image: Image) -> None:
    """Decode the pixels of a parsed image. MediumError if it is damaged or cut off."""
    with _reasons():
        image.load()


@contextmanager
def _reasons() -> Iterator[None]:
    """Turn whatever a parser of images raises into a MediumError; its warnings are dropped."""
    bomb = needed("PIL.Image").DecompressionBombError
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except (MediumError, KeyboardInterrupt):
            raise
        except bomb as error:  # Pillow's own limit, whatever is asked
            size = _PIXELS.search(str(error))
            what = f"{size[1]} pixels, and fewer" if size else "fewer pixels"
            raise MediumError(f"{what} are allowed") from None
        except MemoryError:
            raise MediumError("it needs more memory than there is") from None
        except Exception as error:  # parsers raise whatever comes: struct.error, SyntaxError, …
            raise MediumError(_reason(error)) from None


def _reason(error: Exception) -> str:
    words = str(error)
    if "truncated" in words.lower() or isinstance(error, EOFError):
        return "the image is cut off"
    if type(error).__name__ == "UnidentifiedImageError" or not words:
        return "the image is damaged: its header cannot be read"
    return f"the image is damaged: {words[:100]}"


def _turn_upright(image: Image) -> None:
    """Turn an image as its EXIF says; an orientation that cannot be read is none."""
    from PIL.ImageOps import exif_transpose

    with suppress(Exception):  # hostile EXIF raises whatever comes
        exif_transpose(image, in_place=True)


def _rgb(image: Image) -> Image:
    """The image in RGB, with what is transparent on white."""
    if image.mode.startswith("I;16"):
        image = _from_16_bits(image)
    if not image.has_transparency_data:
        return image.copy() if image.mode == "RGB" else image.convert("RGB")
    return _on_white(image)


def _from_16_bits(image: Image) -> Image:
    """Grey of 16 bits as 8; Pillow alone would cut off what is above 255."""
    import numpy as np
    from PIL import Image as pillow

    return pillow.fromarray((np.asarray(image) >> 8).astype(np.uint8))


def _on_white(image: Any) -> Image:
    from PIL import Image as pillow

    whole = pillow.new("RGB", image.size, "white")
    rows = max(1, STRIP // image.width)
    for top in range(0, image.height, rows):
        below = min(image.height, top + rows)
        strip = image.crop((0, top, image.width, below)).convert("RGBA")
        whole.paste(strip, (0, top), mask=strip.getchannel("A"))
    return whole
