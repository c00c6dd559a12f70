"""Small images, sounds, films and tars, made in memory: no test needs a package of them."""

from __future__ import annotations

import io
import json
import struct
import tarfile
import wave
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np


def picture(number: int = 0, size: tuple[int, int] = (12, 8), format: str = "PNG", **more) -> bytes:
    """Return an image of plain noise; every number has its own."""
    from PIL import Image

    pixels = np.random.default_rng(number).integers(0, 256, (size[1], size[0], 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format, **more)
    return file.getvalue()


def sound(seconds: float = 1.0, rate: int = 8000, pitch: float = 440.0) -> bytes:
    """Return a WAV of one tone, 16 bits, mono, at .3 of full scale."""
    samples = np.sin(np.arange(round(seconds * rate)) * 2 * np.pi * pitch / rate) * 0.3
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes((samples * 32767).astype("<i2").tobytes())
    return file.getvalue()


def film(frames: int = 10, fps: int = 10, size: tuple[int, int] = (32, 16), **more) -> bytes:
    """Return an MP4 that grows from black to white; `format` and `codec` may be others."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format=more.get("format", "mp4")) as out:
        stream = out.add_stream(more.get("codec", "mpeg4"), rate=fps)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if stream.name == "mjpeg" else "yuv420p"
        for number in range(frames):
            grey = np.full((size[1], size[0], 3), 255 * number // max(1, frames - 1), np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        out.mux(stream.encode())
    return file.getvalue()


def tar(members: Mapping[str, bytes | str]) -> bytes:
    """Return a tar of plain files, in their order."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as out:
        for name, data in members.items():
            content = data.encode() if isinstance(data, str) else data
            info = tarfile.TarInfo(name)
            info.size = len(content)
            out.addfile(info, io.BytesIO(content))
    return file.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_of(width: int, height: int, rows: bytes = b"") -> bytes:
    """Return a PNG whose header says so, whatever its data hold."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    end = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + end


def box(name: bytes, *parts: bytes) -> bytes:
    """Return a box of an MP4."""
    data = b"".join(parts)
    return struct.pack(">I", 8 + len(data)) + name + data


def written(root: Path, files: Mapping[str, bytes | str]) -> None:
    """Write files below a folder."""
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)


def lines(rows: list[dict]) -> str:
    """Return JSON lines."""
    return "".join(json.dumps(row) + "\n" for row in rows)
