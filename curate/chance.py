"""Random numbers that do not depend on row order: noise from hash(id, seed, purpose).

A document gets the same noise in every run. So the order of rows does not change a mixture, and a
mixture only grows with its budget while its weights stay the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SPAN = float(2**64)
_BELOW_ONE = 1 - float(2**-53)


def uniform(ids: Iterable[str], seed: int, purpose: str) -> NDArray[np.float64]:
    """Return one number in the open interval (0, 1) for each id.

    `purpose` (at most 16 bytes, such as `holdout` or `draw`) keeps uses of one seed independent.
    """
    import numpy as np

    salt, key = seed.to_bytes(16, "little", signed=True), purpose.encode()
    digests = b"".join(
        blake2b(id.encode(), digest_size=8, salt=salt, person=key).digest() for id in ids
    )
    numbers: NDArray[np.float64] = np.frombuffer(digests, "<u8").astype(np.float64)
    # Doubles near 1 are too coarse: the largest numbers would round up to 1.
    return np.asarray(np.minimum((numbers + 0.5) / _SPAN, _BELOW_ONE))


def gumbel(ids: Iterable[str], seed: int, purpose: str) -> NDArray[np.float64]:
    """Return standard Gumbel noise for each id (Kool et al. 2019, Gumbel top-k)."""
    import numpy as np

    return np.asarray(-np.log(-np.log(uniform(ids, seed, purpose))))
