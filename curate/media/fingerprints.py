"""Fingerprints of media: small pictures that near-duplicates are found and compared by.

An image is its luminance in 32 x 32 cells and its colours in 8 x 8. A film is some of its frames. A
sound is its mel spectrogram in 32 bands and 32 parts of its time, each band around its own mean. So
scaling, re-encoding, volume, noise and the sampling rate hardly change a fingerprint.

Two are compared by the correlation of their edges (gradients, blurred), at the best of several
alignments: as they are, or one of them cut by 5 % at any side; images mirrored too. Colours that
differ count against a pair, unless one of the two is grey. How pairs are found: see `sketches`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from curate.media.medium import Kind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    Floats = NDArray[np.float32]

SIDE, TINTS = 32, 8
"""Cells of a side: of luminance, and of colours."""

GREYS = SIDE * SIDE
CELLS = GREYS + 2 * TINTS * TINTS
"""The bytes of a picture in a fingerprint."""

CUT = 0.05
"""The part of each side that an alignment cuts."""

STEPS = ((0.4, 3), (0.75, 5))
"""From which similarity on a pair is looked at closer, and at how many cuts a side.

Pairs that are less alike as they are, or at three cuts, are not alike at any.
"""

LOUDEST = 6.0
"""So far below the loudest hundredth of its energies a sound counts (26 decibels, as a logarithm):
what is quieter may be noise."""

LENGTHS = 0.1
"""Sounds and films whose durations differ by more than this are not alike."""

GREY, SAME, TELLING = 3.0, 5.0, 60.0
"""Levels of colour, of 255: what is grey, how far cells of one colour differ on the mean, and the
difference above that which takes 1 from the similarity."""

HEADER = 5
"""Bytes before the cells: the kind, and the duration in units of 10 milliseconds."""

KINDS: tuple[Kind, ...] = ("image", "audio", "video")


def of_image(picture: Image) -> bytes:
    """The fingerprint of a picture."""
    return _packed("image", 0.0, [_cells(picture)])


def of_frames(seconds: float, frames: Sequence[Image]) -> bytes:
    """The fingerprint of a film, from its duration and some frames."""
    return _packed("video", seconds, [_cells(frame) for frame in frames])


def of_sound(seconds: float, spectrogram: Floats) -> bytes:
    """The fingerprint of a sound, from its duration and log energies: times x bands."""
    import numpy as np

    quiet = np.float32(np.percentile(spectrogram, 99) - LOUDEST)
    rows = _resampled(np.logaddexp(spectrogram, quiet).T, SIDE)
    rows = rows - rows.mean(axis=1, keepdims=True)
    spread = max(float(rows.std()), 1e-3)
    scaled = np.clip(128 + rows / spread * 42, 0, 255).astype(np.uint8)
    return _packed("audio", seconds, [np.pad(scaled.ravel(), (0, CELLS - GREYS))])


def cells(picture: Image) -> NDArray[np.uint8]:
    """The luminance of a picture in 32 x 32 cells."""
    import numpy as np
    from PIL.Image import Resampling

    return np.asarray(picture.convert("L").resize((SIDE, SIDE), Resampling.BOX), np.uint8)


def _cells(picture: Image) -> NDArray[np.uint8]:
    import numpy as np
    from PIL.Image import Resampling

    tints = picture.resize((TINTS, TINTS), Resampling.BOX).convert("YCbCr")
    colours = np.asarray(tints, np.uint8)[:, :, 1:].transpose(2, 0, 1)
    return np.concatenate([cells(picture).ravel(), colours.ravel()])


def _resampled(rows: Floats, parts: int) -> Floats:
    """Rows of times, as means over so many equal parts of the time."""
    import numpy as np

    size = rows.shape[1]
    sums = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(rows, axis=1)], axis=1)
    edges = np.linspace(0, size, parts + 1)
    at = np.stack([np.interp(edges, np.arange(size + 1), row) for row in sums])
    return np.asarray(np.diff(at, axis=1) * parts / max(size, 1), np.float32)


def _packed(kind: Kind, seconds: float, parts: Sequence[NDArray[np.uint8]]) -> bytes:
    ticks = min(int(seconds * 100), (1 << 32) - 1)
    head = bytes([KINDS.index(kind)]) + ticks.to_bytes(4, "big")
    return head + b"".join(part.tobytes() for part in parts)


def pictures_of(fingerprint: bytes) -> Floats:
    """The luminances in a fingerprint: pictures x 32 x 32."""
    import numpy as np

    rows = np.frombuffer(fingerprint, np.uint8)[HEADER:].reshape(-1, CELLS)
    return rows[:, :GREYS].reshape(-1, SIDE, SIDE).astype(np.float32)


def _tints_of(fingerprint: bytes) -> Floats:
    """The colours in a fingerprint, around 0: pictures x 2 x 8 x 8."""
    import numpy as np

    rows = np.frombuffer(fingerprint, np.uint8)[HEADER:].reshape(-1, CELLS)
    return rows[:, GREYS:].reshape(-1, 2, TINTS, TINTS).astype(np.float32) - 128


# ── comparing


def similarity(one: bytes, other: bytes) -> float:
    """How alike two fingerprints are, at most 1; 0 for different kinds or durations."""
    if one[0] != other[0] or not _lasts_alike(one, other):
        return 0.0
    best = _alike(one, other, turned=False)
    if KINDS[one[0]] != "audio":
        best = _larger(best, _alike(one, other, turned=True))
    return float(min(best.max(axis=1).mean(), best.max(axis=0).mean(), 1.0))


def _larger(one: Floats, other: Floats) -> Floats:
    import numpy as np

    return np.maximum(one, other)


def _lasts_alike(one: bytes, other: bytes) -> bool:
    first, second = (int.from_bytes(data[1:HEADER], "big") for data in (one, other))
    return abs(first - second) <= LENGTHS * max(first, second)


def _alike(one: bytes, other: bytes, *, turned: bool) -> Floats:
    """How alike every two pictures are, the second ones mirrored if `turned`: n x m."""
    import numpy as np

    first, second = edges(one)[0], edges(other, turned=turned)[0]
    best = first @ second.T
    for least, cuts in STEPS:
        if best.max() < least:
            break
        parts = edges(one, cuts=cuts), edges(other, turned=turned, cuts=cuts)
        best = np.maximum(best, (parts[0] @ second.T).max(axis=0))
        best = np.maximum(best, (first @ parts[1].transpose(0, 2, 1)).max(axis=0))
    if KINDS[one[0]] == "audio":
        return np.asarray(best, np.float32)
    return np.asarray(best - _recoloured(_tints_of(one), _tints_of(other), turned), np.float32)


def _recoloured(one: Floats, other: Floats, turned: bool) -> Floats:
    """What colours take from the similarity of every two pictures: n x m."""
    import numpy as np

    second = other[..., ::-1] if turned else other
    apart = np.abs(one[:, None] - second[None]).mean(axis=(2, 3, 4))
    greys = [np.abs(tints).mean(axis=(1, 2, 3)) < GREY for tints in (one, other)]
    is_grey = greys[0][:, None] | greys[1][None, :]
    return np.asarray(np.where(is_grey, 0, np.maximum(apart - SAME, 0) / TELLING), np.float32)


@lru_cache(maxsize=512)
def edges(fingerprint: bytes, *, turned: bool = False, cuts: int = 0) -> Floats:
    """The edges of pictures, of length 1: alignments x pictures x 2,048.

    Without `cuts` there is one alignment, that of the pictures as they are.
    """
    import numpy as np

    pictures = pictures_of(fingerprint)
    own = np.ascontiguousarray(pictures[:, :, ::-1]) if turned else pictures
    smooth, steps = _alignments(is_sound=KINDS[fingerprint[0]] == "audio", cuts=cuts)
    across = (smooth[0][:, None] @ own) @ steps[1][:, None]
    down = (steps[0][:, None] @ own) @ smooth[1][:, None]
    flat = np.concatenate([across, down], axis=2).reshape(len(across), len(pictures), -1)
    lengths = np.sqrt((flat**2).sum(axis=2, keepdims=True))
    return np.asarray(flat / np.maximum(lengths, 1e-3), np.float32)


Matrices = tuple["Floats", "Floats"]
"""Matrices for the rows and for the columns of each alignment: alignments x 32 x 32."""


@cache
def _alignments(*, is_sound: bool, cuts: int) -> tuple[Matrices, Matrices]:
    """Matrices that cut and blur, and those that also take differences; for columns turned round.

    Sounds are cut in time alone.
    """
    import numpy as np

    places = np.linspace(0, 1, cuts).tolist() if cuts else []
    parts = [cut(place) for place in places] or [np.eye(SIDE)]
    pairs = [(row, column) for row in ([np.eye(SIDE)] if is_sound else parts) for column in parts]
    step = np.eye(SIDE, k=1) - np.eye(SIDE)
    step[-1] = 0
    smooth: list[Floats] = []
    steps: list[Floats] = []
    for side in (0, 1):
        own = np.stack([_blur() @ pair[side] for pair in pairs])
        both = (own, step @ own)
        for made, matrices in zip((smooth, steps), both, strict=True):
            turned = matrices.transpose(0, 2, 1) if side else matrices
            made.append(np.ascontiguousarray(turned, np.float32))
    return (smooth[0], smooth[1]), (steps[0], steps[1])


def _blur() -> NDArray[np.float64]:
    """A matrix that blurs 32 cells by a Gaussian of one cell; edges are repeated."""
    import numpy as np

    reach = np.arange(-3, 4)
    weights = np.exp(-(reach**2) / 2) / np.exp(-(reach**2) / 2).sum()
    matrix = np.zeros((SIDE, SIDE))
    for row in range(SIDE):
        np.add.at(matrix[row], np.clip(row + reach, 0, SIDE - 1), weights)
    return matrix


@cache
def cut(place: float) -> NDArray[np.float64]:
    """A matrix that resamples 32 cells from what a cut of 5 % leaves at a place, 0 to 1."""
    import numpy as np

    at = (np.arange(SIDE) + 0.5) * (1 - CUT) + place * CUT * SIDE - 0.5
    low = np.clip(np.floor(at), 0, SIDE - 2).astype(int)
    share = np.clip(at - low, 0, 1)
    matrix = np.zeros((SIDE, SIDE))
    matrix[np.arange(SIDE), low] = 1 - share
    matrix[np.arange(SIDE), low + 1] += share
    return matrix
