"""Small pictures, sounds and films for tests; nothing of them comes from anywhere else."""

from __future__ import annotations

import io
import wave
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image


def pixels(seed: int, side: int = 32) -> Image.Image:
    """A picture of random blocks: two seeds give unlike ones."""
    blocks = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    return Image.fromarray(np.kron(blocks, np.ones((side // 8, side // 8, 1), np.uint8)))


def png(seed: int, side: int = 32) -> bytes:
    """A PNG."""
    return _saved(pixels(seed, side), "PNG")


def jpeg(seed: int, *, place: bool = False, side: int = 32) -> bytes:
    """A JPEG with a comment in its EXIF and, on request, the place where it was taken."""
    exif = Image.Exif()
    exif[0x010E] = "a caption in the file"
    if place:
        gps = exif.get_ifd(0x8825)
        gps[1], gps[2], gps[3], gps[4] = "N", (46.0, 57.0, 8.0), "E", (7.0, 26.0, 22.0)
    return _saved(pixels(seed, side), "JPEG", exif=exif)


def has_place(data: bytes) -> bool:
    """Whether the EXIF of a picture holds GPS, by another reader than ours."""
    return bool(Image.open(io.BytesIO(data)).getexif().get_ifd(0x8825))


def _saved(image: Image.Image, format: str, **more: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **more)
    return buffer.getvalue()


def wav(seed: int, seconds: float = 0.5, rate: int = 8_000) -> bytes:
    """A sound: a tone of its own, mono, 16 bits."""
    time = np.arange(int(seconds * rate)) / rate
    tone = (8_000 * np.sin(2 * np.pi * (200 + 50 * seed) * time)).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(tone.tobytes())
    return buffer.getvalue()


def film(seed: int, frames: int = 8, side: int = 64) -> bytes:
    """A film without sound, as MP4."""
    import av

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=8)
        stream.width = stream.height = side
        for number in range(frames):
            picture = np.asarray(pixels(seed * 100 + number, side))
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return buffer.getvalue()


def digest(data: bytes) -> str:
    """The sha256 of bytes."""
    return sha256(data).hexdigest()


def put(folder: Path, files: dict[str, bytes]) -> None:
    """Write files into a folder."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
