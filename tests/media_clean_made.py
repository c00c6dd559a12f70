"""Pictures, sounds and films made for tests: small, and each of its own."""

import io
import math
import wave

import numpy as np
from PIL import Image, ImageDraw


def picture(seed=0, size=(320, 240)):
    """Return a picture of some shapes on white: no two seeds look alike."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(4, 9))):
        x, y = (rng.random(2) * size).tolist()
        width, height = (rng.uniform(0.1, 0.5, 2) * size).tolist()
        colour = tuple(rng.integers(0, 200, 3).tolist())
        box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        kind = ("ellipse", "rectangle", "line")[int(rng.integers(3))]
        if kind == "line":
            draw.line(box, fill=colour, width=int(rng.integers(3, 20)))
        else:
            getattr(draw, kind)(box, fill=colour)
    return image


def encoded(image, format="PNG", **more):
    """Return the bytes of an image."""
    sink = io.BytesIO()
    image.save(sink, format, **more)
    return sink.getvalue()


def tune(seed=0, seconds=3.0, rate=16000):
    """Return a tune of some notes, float32, -1 to 1."""
    rng = np.random.default_rng(seed)
    samples = np.zeros(int(seconds * rate))
    at = 0
    while at < len(samples):
        length = int(rate * rng.uniform(0.1, 0.5))
        own = samples[at : at + length]
        times = np.arange(len(own)) / rate
        pitch = 110 * 2 ** (rng.integers(0, 48) / 12)
        for overtone in (1, 2, 3):
            own += np.sin(2 * math.pi * pitch * overtone * times) / overtone * rng.uniform(0.1, 0.4)
        own *= np.exp(-times * rng.uniform(0, 6))
        at += length
    return (samples / np.abs(samples).max() * 0.8).astype(np.float32)


def wav(samples, rate=16000):
    """Return the bytes of a WAV of 16 bits."""
    sink = io.BytesIO()
    with wave.open(sink, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return sink.getvalue()


def film(pictures, fps=8, codec="mpeg4", size=None, bits=None):
    """Return the bytes of an MP4 whose frames are pictures."""
    import av

    sink = io.BytesIO()
    width, height = size or pictures[0].size
    with av.open(sink, "w", format="mp4") as container:
        stream = container.add_stream(codec, rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        if bits:
            stream.bit_rate = bits
        for image in pictures:
            frame = av.VideoFrame.from_image(image.resize((width, height)))
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return sink.getvalue()


def moving(seed=0, frames=16, size=(320, 240)):
    """Return the frames of a film in which a shape moves over a picture."""
    rng = np.random.default_rng(seed)
    ground = picture(seed, size)
    start, step = rng.random(2) * size, (rng.random(2) - 0.5) * 30
    made = []
    for number in range(frames):
        image = ground.copy()
        x, y = (start + step * number).tolist()
        ImageDraw.Draw(image).ellipse((x - 25, y - 25, x + 25, y + 25), fill="black")
        made.append(image)
    return made


def located(latitude=(52, 31, 12.0)):
    """Return EXIF that tells a place, an orientation and a camera."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "A camera"
    exif.get_ifd(0x8825).update({1: "N", 2: latitude, 3: "E", 4: (13, 24, 36.0)})
    return exif
