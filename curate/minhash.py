"""MinHash signatures of texts: band keys find pairs that may be alike, bits rule out most others.

128 permutations in 32 bands of 4 (Broder 1997; bands of LSH: Indyk and Motwani 1998). A pair of
similarity .5 shares a band in 87 % of cases, one of .7 in 99.98 %. A signature also has one bit of
every permutation (Li and König 2010).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from curate.shingles import blocks, flat

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PERMUTATIONS, BANDS, SEED = 128, 32, 42
KEY_WORDS, BIT_WORDS = BANDS, PERMUTATIONS // 64
SIGNATURE_BYTES = 8 * (KEY_WORDS + BIT_WORDS)

DOUBT = 3.5
"""A pair is not compared if its equal bits are this many standard deviations too few."""


def signatures(texts: Sequence[str]) -> list[bytes | None]:
    """The band keys and bits of each text, as bytes; None for a text without shingles."""
    import numpy as np
    from rensa import RMinHash

    packed: list[bytes | None] = []
    for block in blocks(texts):
        hashes, offsets = flat(block)
        places = offsets.astype(np.uint64)
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, places, PERMUTATIONS, SEED)
        values = np.asarray(matrix.to_rows(), np.uint32).reshape(-1, PERMUTATIONS)
        empty = (offsets[1:] == offsets[:-1]).tolist()
        data = np.hstack([band_keys(values), bits(values)]).tobytes()
        packed += [
            None if is_empty else data[at * SIGNATURE_BYTES : (at + 1) * SIGNATURE_BYTES]
            for at, is_empty in enumerate(empty)
        ]
    return packed


def band_keys(matrix: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """A 64-bit key for each band of each signature. Different bands share keys only by chance.

    Shapes: (n, permutations) to (n, bands).
    """
    import numpy as np

    width = matrix.shape[1] // BANDS
    keys = np.tile(np.arange(1, BANDS + 1, dtype=np.uint64), (len(matrix), 1))
    parts = matrix.reshape(len(matrix), BANDS, width)
    for at in range(width):
        keys = (keys ^ parts[:, :, at]) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(29)
    return keys


def bits(matrix: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """One bit of each value of a signature: (n, permutations) to (n, permutations / 64).

    Equal values have equal bits; unequal values do in half of all cases.
    """
    import numpy as np

    mixed = matrix * np.uint32(0x9E3779B1)
    mixed ^= mixed >> np.uint32(15)
    mixed *= np.uint32(0x85EBCA77)
    return np.packbits(mixed >> np.uint32(31) == 1, axis=1).view(np.uint64)


def least_equal(threshold: float) -> int:
    """The fewest bits that a pair of this similarity shares: the mean less `DOUBT` deviations."""
    share = (1 + min(threshold, 1.0)) / 2
    spread = (share * (1 - share) / PERMUTATIONS) ** 0.5
    return int(PERMUTATIONS * (share - DOUBT * spread))
