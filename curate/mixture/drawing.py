"""The draw: the only place where a weight becomes copies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from curate import chance
from curate.mix.spec import MixSpec
from curate.mixture import drawing
from curate.mixture.weights import NOISELESS, WEIGHERS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


def draw_groups(
    items: pd.DataFrame, shares: Mapping[str, float], budget: int, spec: MixSpec
) -> pd.DataFrame:
    """Return the items with weight and copies; every group is within one document of its share."""
    import numpy as np

    weights = np.zeros(len(items))
    copies = np.zeros(len(items), np.int64)
    noise = chance.gumbel(items["id"], spec.seed, "draw")
    if spec.within.strategy in NOISELESS:
        noise = np.zeros(len(items))
    carry = 0.0
    for group, rows in items.groupby("group", sort=True).indices.items():
        part = items.iloc[rows]
        weights[rows] = WEIGHERS[spec.within.strategy](part, spec.within)
        tokens = part["tokens"].to_numpy(np.int64)
        target = shares[str(group)] * budget
        copies[rows] = drawing.draw(
            weights[rows],
            tokens,
            target,
            max_copies=spec.max_epochs,
            noise=noise[rows],
            carry=carry,
        )
        carry += float((copies[rows] * tokens).sum()) - target
    return items.assign(weight=weights, copies=copies)


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
