"""Fingerprints of media: small grey pictures that near-duplicates are found and compared by.

An image is its luminance in 32 x 32 cells. A film is that of some key frames. A sound is its
mel spectrogram in 32 bands and 32 parts of its time, each band around its own mean. So scaling,
re-encoding, colours, volume and the sampling rate hardly change a fingerprint.

Two are compared by their correlation, at the best of several alignments: as they are, one cut by
5 % at any side, and images mirrored too. What finds pairs is a signature of band keys and bits, as
that of texts (`curate.minhash`): signs of random projections (Charikar 2002) of the lowest
frequencies of a cosine transform. A mirror turns the sign of the odd horizontal ones. Each band and
each bit therefore reads these as some projection of its own says, which turns along with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from curate.media.medium import Kind
from curate.minhash import BANDS, BIT_WORDS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    Floats = NDArray[np.float32]

SIDE = 32
"""Cells of a side."""

LOWEST = 8
"""Frequencies a side that signatures read."""

WIDTH = 14
"""Signs of a band."""

LEAST_EQUAL = 84
"""The fewest of 128 bits that near-duplicates share, but for rare cases."""

CUT = 0.05
"""The part of each side that an alignment cuts."""

LENGTHS = 0.1
"""Sounds and films whose durations differ by more than this are not compared."""

SEED = 42
HEADER = 5
"""Bytes before the cells: the kind, and the duration in units of 10 milliseconds."""

_KINDS: tuple[Kind, ...] = ("image", "audio", "video")


def of_image(picture: Image) -> bytes:
    """The fingerprint of a picture."""
    return _packed("image", 0.0, [cells(picture)])


def of_frames(seconds: float, frames: Sequence[Image]) -> bytes:
    """The fingerprint of a film, from its duration and its key frames."""
    return _packed("video", seconds, [cells(frame) for frame in frames])


def of_sound(seconds: float, spectrogram: Floats) -> bytes:
    """The fingerprint of a sound, from its duration and log energies: times x bands."""
    import numpy as np

    rows = _resampled(spectrogram.T, SIDE)
    rows = rows - rows.mean(axis=1, keepdims=True)
    spread = max(float(rows.std()), 1e-3)
    scaled = np.clip(128 + rows / spread * 42, 0, 255)
    return _packed("audio", seconds, [scaled.astype(np.uint8)])


def cells(picture: Image) -> NDArray[np.uint8]:
    """The luminance of a picture in 32 x 32 cells."""
    import numpy as np
    from PIL.Image import Resampling

    grey = picture.convert("L").resize((SIDE, SIDE), Resampling.BOX)
    return np.asarray(grey, np.uint8)


def _resampled(rows: Floats, parts: int) -> Floats:
    """Rows of times, as means over so many equal parts of the time."""
    import numpy as np

    size = rows.shape[1]
    if size < 2:
        return np.repeat(rows, parts, axis=1) if size else np.zeros((len(rows), parts), np.float32)
    sums = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(rows, axis=1)], axis=1)
    edges = np.linspace(0, size, parts + 1)
    at = np.stack([np.interp(edges, np.arange(size + 1), row) for row in sums])
    return np.asarray(np.diff(at, axis=1) * parts / size, np.float32)


def _packed(kind: Kind, seconds: float, parts: Sequence[NDArray[np.uint8]]) -> bytes:
    ticks = min(int(seconds * 100), (1 << 32) - 1)
    head = bytes([_KINDS.index(kind)]) + ticks.to_bytes(4, "big")
    return head + b"".join(part.tobytes() for part in parts)


def kind_of(fingerprint: bytes) -> Kind:
    """The kind of medium that a fingerprint is of."""
    return _KINDS[fingerprint[0]]


def _pictures(content: NDArray[np.uint8]) -> Floats:
    """The grey pictures of a fingerprint, each around 0 and of length 1: n x 32 x 32."""
    import numpy as np

    pictures = content[HEADER:].reshape(-1, SIDE, SIDE).astype(np.float32)
    return _normed(pictures)


def _normed(pictures: Floats) -> Floats:
    import numpy as np

    centred = pictures - pictures.mean(axis=(-2, -1), keepdims=True)
    length = np.sqrt((centred**2).sum(axis=(-2, -1), keepdims=True))
    return np.asarray(centred / np.maximum(length, 1e-6), np.float32)


# ── signatures


def signatures(fingerprints: Sequence[bytes | None]) -> list[bytes | None]:
    """The band keys and bits of each fingerprint; None for none, and for a blank one."""
    import numpy as np

    rows = [place for place, data in enumerate(fingerprints) if data and len(data) > HEADER]
    packed: list[bytes | None] = [None] * len(fingerprints)
    if not rows:
        return packed
    own = [np.frombuffer(fingerprints[row] or b"", np.uint8) for row in rows]
    means = np.stack([_normed(_pictures(content).mean(axis=0)) for content in own])
    even, odd = _frequencies(means)
    kinds = np.array([content[0] for content in own])
    even, odd = _unturned(even, odd, kinds)
    lengths = np.sqrt((even**2).sum(axis=1) + (odd**2).sum(axis=1))
    words = _words(even, odd, kinds)
    for row, data, length in zip(rows, words, lengths.tolist(), strict=True):
        packed[row] = data.tobytes() if length > 1e-3 else None
    return packed


def _frequencies(pictures: Floats) -> tuple[Floats, Floats]:
    """The lowest frequencies of pictures: those that a mirror keeps, and those that it turns."""
    import numpy as np
    from scipy.fft import dctn

    low = dctn(pictures, axes=(1, 2), norm="ortho")[:, :LOWEST, :LOWEST]
    even = low[:, :, ::2].reshape(len(pictures), -1)
    odd = low[:, :, 1::2].reshape(len(pictures), -1)
    return np.asarray(even, np.float32), np.asarray(odd, np.float32)


def _unturned(even: Floats, odd: Floats, kinds: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """The frequencies, all of them as `even` for sounds: time has a direction."""
    import numpy as np

    sounds = (kinds == _KINDS.index("audio"))[:, None]
    kept = np.hstack([even, np.where(sounds, odd, 0)])
    return np.asarray(kept, np.float32), np.asarray(np.where(sounds, 0, odd), np.float32)


def _words(even: Floats, odd: Floats, kinds: NDArray[np.uint8]) -> NDArray[np.uint64]:
    import numpy as np

    of_even, of_odd, turning = _planes()
    turns = np.where(odd @ turning >= 0, np.float32(1), np.float32(-1))
    widths = np.array([WIDTH] * BANDS + [1] * 64 * BIT_WORDS)
    signs = even @ of_even + np.repeat(turns, widths, axis=1) * (odd @ of_odd) > 0
    keys = np.zeros((len(even), BANDS), np.uint64)
    for at in range(WIDTH):
        keys |= signs[:, at : BANDS * WIDTH : WIDTH].astype(np.uint64) << np.uint64(at)
    keys ^= np.arange(1, BANDS + 1, dtype=np.uint64) << np.uint64(40)
    keys ^= (kinds.astype(np.uint64) + np.uint64(1))[:, None] << np.uint64(48)
    bits = np.packbits(signs[:, BANDS * WIDTH :], axis=1).view(np.uint64)
    return np.hstack([keys, bits])


@cache
def _planes() -> tuple[Floats, Floats, Floats]:
    """The projections of kept and of turning frequencies, and those that say how these are read."""
    import numpy as np

    rng = np.random.default_rng(SEED)
    half, signs = LOWEST * LOWEST // 2, BANDS * WIDTH + 64 * BIT_WORDS
    shapes = ((2 * half, signs), (half, signs), (half, BANDS + 64 * BIT_WORDS))
    first, second, third = (rng.standard_normal(shape, np.float32) for shape in shapes)
    return first, second, third


# ── comparing


def similarity(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """How alike two fingerprints are, at most 1; 0 for different kinds or durations."""
    if one[0] != other[0] or not _lasts_alike(one, other):
        return 0.0
    first, second = _pictures(one), _pictures(other)
    best = _correlations(first, second, _KINDS[one[0]])
    return float(min(best.max(axis=1).mean(), best.max(axis=0).mean()))


def _lasts_alike(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    first, second = (int.from_bytes(content[1:HEADER].tobytes(), "big") for content in (one, other))
    return abs(first - second) <= LENGTHS * max(first, second)


def _correlations(first: Floats, second: Floats, kind: Kind) -> Floats:
    """The correlation of every two pictures at the best alignment: n x m, at most 1."""
    import numpy as np

    ones, others = _aligned(first, kind), _aligned(second, kind)
    best = np.full((len(first), len(second)), -1.0, np.float32)
    mirrored = [False] if kind == "audio" else [False, True]
    for turned in mirrored:
        whole = second[:, :, ::-1] if turned else second
        cut = others[:, :, :, ::-1] if turned else others
        for left, right in ((ones, whole[None]), (first[None], cut)):
            products = np.einsum("ancd,bmcd->abnm", left, right)
            best = np.maximum(best, products.max(axis=(0, 1)))
    return np.minimum(best, 1.0)


def _aligned(pictures: Floats, kind: Kind) -> Floats:
    """The pictures as they are, and cut by 5 %: alignments x n x 32 x 32."""
    import numpy as np

    cuts = _cuts()
    heights = cuts[:1] if kind == "audio" else cuts
    whole = [pictures]
    for height in heights if kind == "audio" else heights[1:]:
        rows = np.einsum("ij,njk->nik", height, pictures)
        whole += [_normed(rows @ width.T) for width in cuts[1:]]
    return np.stack(whole)


@cache
def _cuts() -> Floats:
    """Matrices that resample 32 cells: the identity, and cuts of 5 % at three places."""
    import numpy as np

    matrices = [np.eye(SIDE, dtype=np.float32)]
    centres = np.arange(SIDE) + 0.5
    for place in (0.0, 0.5, 1.0):
        at = centres * (1 - CUT) + place * CUT * SIDE - 0.5
        low = np.clip(np.floor(at), 0, SIDE - 2).astype(int)
        share = np.clip(at - low, 0, 1).astype(np.float32)
        matrix = np.zeros((SIDE, SIDE), np.float32)
        matrix[np.arange(SIDE), low] = 1 - share
        matrix[np.arange(SIDE), low + 1] += share
        matrices.append(matrix)
    return np.stack(matrices)
