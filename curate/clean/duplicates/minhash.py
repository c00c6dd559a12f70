"""MinHash signatures of texts: keys of bands to find what is alike, bits to rule out what is not.

128 permutations in 32 bands of 4 (Broder 1997; bands of LSH: Indyk and Motwani 1998): a pair of
similarity .5 shares a band in 87 % of cases, one of .7 in 99.98 %. One bit of every permutation
(Li and König 2010) travels along.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from curate.clean.duplicates.texts import blocks, flat

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PERMUTATIONS, BANDS, SEED = 128, 32, 42
KEY_WORDS, BIT_WORDS = BANDS, PERMUTATIONS // 64
SIGNATURE_BYTES = 8 * (KEY_WORDS + BIT_WORDS)

DOUBT = 3.5
"""A pair is compared unless its bits say, by so many standard deviations, that it is not alike."""


def signatures(texts: Sequence[str]) -> list[bytes | None]:
    """Return the keys of each text's bands and its bits; None where nothing can be shared."""
    import numpy as np
    from rensa import RMinHash

    found: list[bytes | None] = []
    for block in blocks(texts):
        hashes, offsets = flat(block)
        places = offsets.astype(np.uint64)
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, places, PERMUTATIONS, SEED)
        values = np.asarray(matrix.to_rows(), np.uint32).reshape(-1, PERMUTATIONS)
        empty = (offsets[1:] == offsets[:-1]).tolist()
        data = np.hstack([band_keys(values), bits(values)]).tobytes()
        found += [
            None if nothing else data[at * SIGNATURE_BYTES : (at + 1) * SIGNATURE_BYTES]
            for at, nothing in enumerate(empty)
        ]
    return found


def band_keys(matrix: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """Return a 64-bit key for each band of each signature; bands never share a key but by chance.

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
    """Return one bit of each value of a signature: (n, permutations) to (n, permutations / 64).

    Equal values have equal bits, others do in half of all cases.
    """
    import numpy as np

    mixed = matrix * np.uint32(0x9E3779B1)
    mixed ^= mixed >> np.uint32(15)
    mixed *= np.uint32(0x85EBCA77)
    return np.packbits(mixed >> np.uint32(31) == 1, axis=1).view(np.uint64)


def least_equal(threshold: float) -> int:
    """Return how many of their bits a pair has in common at least, if it is as alike as that."""
    share = (1 + min(threshold, 1.0)) / 2
    spread = (share * (1 - share) / PERMUTATIONS) ** 0.5
    return int(PERMUTATIONS * (share - DOUBT * spread))
