"""A medium that is looked at: its bytes, pixels and sound, each read when first asked for."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from curate.media import Medium, MediumError, fingerprints
from curate.media.films import frames, key_frames
from curate.media.images import decode
from curate.media.opening import checked, opened, read_checked
from curate.media.placeless import counts_as_place
from curate.media.sounds import windows
from curate.media.spectra import RATE, log_mel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    Floats = NDArray[np.float32]

FRAMES = 24
"""Frames of a film that are looked at."""

WHOLE_FILM = 120.0
"""Seconds: frames of a longer film are its key frames, since all of it would be decoded."""

LARGEST = 512
"""Pixels of the longer side of pictures that are looked at."""

TENTH = RATE // 10
HOP = TENTH // 2
"""Samples between two frames of a spectrogram, which overlap: so a cut hardly changes it."""


@dataclass(frozen=True)
class Sound:
    """What was heard of a sound.

    Shares are of samples (`clipped`) and of tenths of a second (`silent`). `loudness` is the root
    mean square, in decibels below full scale. `spectrogram` is tenths of a second,
    that begin half as far apart, x 32 mel bands.
    """

    seconds: float
    clipped: float
    silent: float
    loudness: float
    spectrogram: Floats


class Sight:
    """A medium in a folder, beside the text of its document; each part may raise MediumError."""

    def __init__(self, medium: Medium, folder: Path, text: str = "") -> None:
        self.medium = medium
        self.folder = folder
        self.text = text

    @property
    def is_elsewhere(self) -> bool:
        """Whether its bytes lie at an address that is never fetched."""
        address = self.medium.address
        return "://" in address or address.startswith(("data:", "sha256:"))

    @cached_property
    def data(self) -> bytes:
        """The bytes of an image, which are those that the pool saw."""
        return read_checked(self.medium, self.folder)

    @contextmanager
    def file(self) -> Iterator[BinaryIO]:
        """The open file of a sound or a film, which is the one that the pool saw."""
        self._checked  # noqa: B018
        with opened(self.medium.address, self.folder) as file:
            yield file

    @cached_property
    def _checked(self) -> bool:
        checked(self.medium, self.folder)
        return True

    @cached_property
    def picture(self) -> Image:
        """An image in RGB, upright and on white; its longer side has at most 512 pixels."""
        return _small(decode(self.data))

    @cached_property
    def frames(self) -> list[Image]:
        """Up to 24 frames of a film, as `picture`."""
        seconds = self.medium.seconds or 0.0
        with self.file() as file:
            if 0 < seconds <= WHOLE_FILM:
                own = frames(file, max(seconds / FRAMES, 0.04), most=FRAMES)
                pictures = [_small(picture) for _, picture in own]
            else:
                pictures = [_small(picture) for _, picture in key_frames(file, FRAMES)]
        if not pictures:
            raise MediumError("not one frame of it can be decoded")
        return pictures

    @property
    def pictures(self) -> list[Image]:
        """The image, or the frames of a film."""
        return [self.picture] if self.medium.kind == "image" else self.frames

    @property
    def some_pictures(self) -> list[Image]:
        """The image, or four frames of a film, for what takes long."""
        pictures = self.pictures
        return pictures[:: max(1, len(pictures) // 4)][:4]

    @cached_property
    def sound(self) -> Sound:
        """What is heard, in one pass."""
        with self.file() as file:
            return heard(windows(file, RATE))

    @property
    def tells_place(self) -> bool:
        """Whether its metadata tell where it was taken, or may and cannot be cleaned of it.

        An export refuses the latter, so they count: a rule then leaves the document out.
        """
        if self.medium.kind == "image":
            return counts_as_place(io.BytesIO(self.data))
        with self.file() as file:
            return counts_as_place(file)

    @property
    def fingerprint(self) -> bytes:
        """By what near-duplicates are found."""
        kind, seconds = self.medium.kind, self.medium.seconds or 0.0
        if kind == "image":
            return fingerprints.of_image(self.picture)
        if kind == "audio":
            return fingerprints.of_sound(self.sound.seconds, self.sound.spectrogram)
        return fingerprints.of_frames(seconds, self.frames[:: max(1, len(self.frames) // 8)][:8])


def _small(picture: Image) -> Image:
    from PIL.Image import Resampling

    largest = max(picture.size)
    if largest <= LARGEST:
        return picture
    width, height = (max(1, round(side * LARGEST / largest)) for side in picture.size)
    return picture.resize((width, height), Resampling.BILINEAR, reducing_gap=1.0)


def heard(parts: Iterator[Floats]) -> Sound:
    """What is heard in windows of 16,000 samples a second."""
    import numpy as np

    samples = clipped = 0
    energies, bands = [], []
    left: Floats = np.zeros(0, np.float32)
    for part in parts:
        samples += len(part)
        clipped += int((np.abs(part) >= 0.99).sum())
        whole = np.pad(part, (0, -len(part) % TENTH))
        energies.append((whole.reshape(-1, TENTH) ** 2).mean(axis=1))
        left = np.concatenate([left, part])
        count = (len(left) - TENTH) // HOP + 1
        if count > 0:
            bands.append(log_mel(left, bands=32, length=TENTH, hop=HOP))
            left = left[count * HOP :]
    if not samples:
        raise MediumError("it holds no sound")
    energy = np.concatenate(energies)
    mean = float(energy.mean())
    return Sound(
        seconds=samples / RATE,
        clipped=clipped / samples,
        silent=float((energy < 1e-6).mean()),
        loudness=10 * float(np.log10(max(mean, 1e-10))),
        spectrogram=np.concatenate(bands or [log_mel(left, bands=32, length=TENTH, hop=HOP)]),
    )
