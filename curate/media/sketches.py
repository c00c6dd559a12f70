"""Sketches of fingerprints: the band keys and bits by which pairs that may be alike are found.

They have the layout of a text's signature (`curate.minhash`): signs of random projections (Charikar
2002) of the lowest frequencies of a cosine transform, each weighted by its frequency. Half of the
keys are of the picture as it is, half of its middle, in the same bands: so a picture meets one that
was cut. A mirror turns the sign of odd horizontal frequencies. Each band and each bit therefore
reads these as a projection of its own says, which turns along with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import log2
from typing import TYPE_CHECKING

from curate.media.fingerprints import HEADER, KINDS, cut, pictures_of
from curate.minhash import BANDS, BIT_WORDS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

LOWEST = 8
"""Frequencies a side that sketches read."""

LEAST_EQUAL = 84
"""The fewest of 128 bits that near-duplicates share, but for rare cases."""

FEWEST, MOST, FEW_DOCUMENTS = 12, 20, 5_000
"""Signs of a band: for so few documents, and at most."""

SEED = 42
OWN_BANDS = BANDS // 2
BITS = 64 * BIT_WORDS


def width(documents: int) -> int:
    """The signs of a band: one more for each doubling, so that pairs by chance stay few."""
    more = log2(max(documents, 1) / FEW_DOCUMENTS)
    return min(MOST, FEWEST + max(0, round(more)))


def sketches(fingerprints: Sequence[bytes | None], signs: int) -> list[bytes | None]:
    """The band keys and bits of each fingerprint; None for none, and for one without edges."""
    import numpy as np

    rows = [row for row, data in enumerate(fingerprints) if data and len(data) > HEADER]
    packed: list[bytes | None] = [None] * len(fingerprints)
    if not rows:
        return packed
    own = [fingerprints[row] or b"" for row in rows]
    kinds = np.array([data[0] for data in own], np.uint64)
    means = np.stack([_mean(data) for data in own])
    middle = cut(0.5).astype(np.float32)
    sounds = kinds == KINDS.index("audio")
    narrow = np.where(sounds[:, None, None], means, middle @ means) @ middle.T
    whole, inner = _frequencies(means, sounds), _frequencies(narrow, sounds)
    keys, inner_keys = (_keys(part, signs, kinds) for part in (whole, inner))
    # A fingerprint whose middle has the same key would be paired with itself.
    inner_keys ^= (keys == inner_keys).astype(np.uint64) << np.uint64(60)
    words = np.hstack([keys, inner_keys, _bits(whole)])
    flat = np.abs(np.hstack(whole)).sum(axis=1) < 1e-3
    for row, data, is_flat in zip(rows, words, flat.tolist(), strict=True):
        packed[row] = None if is_flat else data.tobytes()
    return packed


def _mean(fingerprint: bytes) -> Floats:
    """The mean of the pictures in a fingerprint, each around 0 and of length 1."""
    import numpy as np

    pictures = pictures_of(fingerprint)
    centred = pictures - pictures.mean(axis=(1, 2), keepdims=True)
    lengths = np.sqrt((centred**2).sum(axis=(1, 2), keepdims=True))
    return np.asarray((centred / np.maximum(lengths, 1e-3)).mean(axis=0), np.float32)


def _frequencies(pictures: Floats, sounds: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """The lowest frequencies of pictures: those that a mirror keeps, and those that it turns.

    It keeps all of a sound, whose time has a direction.
    """
    import numpy as np
    from scipy.fft import dctn

    low = dctn(pictures, axes=(1, 2), norm="ortho")[:, :LOWEST, :LOWEST] * _weights()
    even = low[:, :, ::2].reshape(len(pictures), -1)
    odd = low[:, :, 1::2].reshape(len(pictures), -1)
    kept = np.hstack([even, np.where(sounds[:, None], odd, 0)])
    turned = np.where(sounds[:, None], 0, odd)
    return np.asarray(kept, np.float32), np.asarray(turned, np.float32)


@cache
def _weights() -> Floats:
    import numpy as np

    side = np.arange(LOWEST)
    frequency = np.hypot(side[:, None], side[None, :])
    return np.asarray(np.where(frequency < LOWEST, frequency, 0), np.float32)


def _keys(part: tuple[Floats, Floats], signs: int, kinds: NDArray[np.uint64]) -> NDArray[np.uint64]:
    import numpy as np

    marks = _signs(part, "keys", OWN_BANDS, signs).reshape(len(kinds), OWN_BANDS, signs)
    keys = marks.astype(np.uint64) @ (np.uint64(1) << np.arange(signs, dtype=np.uint64))
    keys ^= np.arange(1, OWN_BANDS + 1, dtype=np.uint64) << np.uint64(40)
    return np.asarray(keys ^ ((kinds[:, None] + np.uint64(1)) << np.uint64(48)))


def _bits(part: tuple[Floats, Floats]) -> NDArray[np.uint64]:
    import numpy as np

    return np.packbits(_signs(part, "bits", BITS, 1), axis=1).view(np.uint64)


def _signs(part: tuple[Floats, Floats], of: str, groups: int, size: int) -> NDArray[np.bool_]:
    """The signs of projections, `size` for each of the groups that read turning parts alike."""
    import numpy as np

    kept, turned = part
    of_kept, of_turned, turning = _planes(of, groups, size)
    turns = np.where(turned @ turning >= 0, np.float32(1), np.float32(-1))
    return np.asarray(kept @ of_kept + np.repeat(turns, size, axis=1) * (turned @ of_turned) > 0)


@cache
def _planes(of: str, groups: int, size: int) -> tuple[Floats, Floats, Floats]:
    import numpy as np

    rng = np.random.default_rng([SEED, len(of), groups, size, ord(of[0])])
    half = LOWEST * LOWEST // 2
    shapes = ((2 * half, groups * size), (half, groups * size), (half, groups))
    first, second, third = (rng.standard_normal(shape, np.float32) for shape in shapes)
    return first, second, third
