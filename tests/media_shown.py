"""Images, sounds and films that a browser shows: large enough for a mouse, in its own formats."""

from __future__ import annotations

import io
import wave

import numpy as np


def picture(width: int = 320, height: int = 240, format: str = "PNG", shade: int = 0) -> bytes:
    """Return an image of a blue that turns red."""
    from PIL import Image

    across = np.linspace(0, 255, width).astype(np.uint8)
    down = np.linspace(0, 255, height).astype(np.uint8)
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0], pixels[..., 1], pixels[..., 2] = across, shade, down[:, None]
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format)
    return file.getvalue()


def sound(seconds: float = 2.0, pitch: float = 440.0, rate: int = 16000) -> bytes:
    """Return a WAV: a tone that is loud in its first half and soft in its second."""
    times = np.arange(int(seconds * rate)) / rate
    loud = np.where(times < seconds / 2, 0.8, 0.1)
    samples = (np.sin(2 * np.pi * pitch * times) * loud * 32767).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.tobytes())
    return file.getvalue()


def film(seconds: float = 2.0, fps: int = 10, width: int = 160, height: int = 120) -> bytes:
    """Return a WebM: a bright bar that moves over a dark ground."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="webm") as out:
        stream = out.add_stream("libvpx", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(int(seconds * fps)):
            pixels = np.full((height, width, 3), 30, np.uint8)
            left = number * 4 % width
            pixels[:, left : left + 20] = 230
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return file.getvalue()
