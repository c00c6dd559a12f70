"""Chance that does not depend on row order: noise from hash(id, seed), and the one draw.

The same document gets the same noise in every run, so a mixture is stable to the order of rows
and grows monotonically with its budget while its weights stand still.
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
    # Near 1 a double has too few steps left: it would round up to 1 itself.
    return np.asarray(np.minimum((numbers + 0.5) / _SPAN, _BELOW_ONE))


def gumbel(ids: Iterable[str], seed: int, purpose: str) -> NDArray[np.float64]:
    """Return standard Gumbel noise for each id (Kool et al. 2019, Gumbel top-k)."""
    import numpy as np

    return np.asarray(-np.log(-np.log(uniform(ids, seed, purpose))))


def draw(
    weights: NDArray[np.float64],
    tokens: NDArray[np.int64],
    budget: float,
    *,
    max_copies: int,
    noise: NDArray[np.float64],
    carry: float = 0.0,
) -> NDArray[np.int64]:
    """Turn weights into copies: the only place where that happens.

    Whole passes over all rows first, then Gumbel top-k on `log(weight) + noise` for the rest, so
    that the copies of two rows with a positive weight differ by at most one. `budget` is in
    tokens. The last document is taken or left so that `carry` (tokens that other groups are over,
    or under if negative) plus the difference to `budget` is nearest to zero; either way the
    tokens drawn are within one document of `budget`.

    Rows of weight 0 are never drawn. Raises ValueError when the budget exceeds the supply.
    """
    import numpy as np

    copies = np.zeros(len(weights), np.int64)
    able = np.flatnonzero((weights > 0) & (tokens > 0))
    supply = int(tokens[able].sum())
    if budget <= 0 or supply == 0:
        if budget >= 1:
            raise ValueError("nothing to draw from")
        return copies
    passes = min(int(budget // supply), max_copies)
    copies[able] = passes
    rest = budget - passes * supply
    if passes == max_copies:
        if rest > max(1.0, 1e-9 * budget):
            raise ValueError(f"{budget:.0f} tokens from {supply} in {max_copies} copies at most")
        return copies
    with np.errstate(divide="ignore"):
        keys = np.log(weights[able]) + noise[able]
    order = able[np.argsort(-keys, kind="stable")]
    reached = np.cumsum(tokens[order])
    under = int(np.searchsorted(reached, rest, side="right"))
    short = rest - (reached[under - 1] if under else 0)
    over = (reached[under] - rest) if under < len(order) else np.inf
    take = under + int(abs(carry + over) < abs(carry - short))
    copies[order[:take]] += 1
    return copies
