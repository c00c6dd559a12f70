"""The draw: the only place where weights become copies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


def draw_groups(
    items: pd.DataFrame,
    weights: NDArray[np.float64],
    targets: Mapping[str, float],
    *,
    max_copies: int,
    noise: NDArray[np.float64],
) -> NDArray[np.int64]:
    """The copies of each row of `items`; every group is within one document of its target.

    `items` has the columns `group` and `tokens`; `weights` and `noise` are in its order. `targets`
    are the tokens of each group. Raises ValueError as `draw` does.
    """
    import numpy as np

    copies = np.zeros(len(items), np.int64)
    carry = 0.0
    for group, rows in items.groupby("group", sort=True).indices.items():
        tokens = items["tokens"].iloc[rows].to_numpy(np.int64)
        target = targets[str(group)]
        copies[rows] = draw(
            weights[rows], tokens, target, max_copies=max_copies, noise=noise[rows], carry=carry
        )
        carry += float((copies[rows] * tokens).sum()) - target
    return copies


def draw(
    weights: NDArray[np.float64],
    tokens: NDArray[np.int64],
    budget: float,
    *,
    max_copies: int,
    noise: NDArray[np.float64],
    carry: float = 0.0,
) -> NDArray[np.int64]:
    """The copies of each row, drawn by weight.

    Whole passes over all rows come first, then Gumbel top-k on `log(weight) + noise` (Kool et al.
    2019) for the rest. The copies of two rows with a positive weight differ by at most one. A row
    of weight 0 is never drawn.

    `budget` is in tokens, and the tokens drawn are within one document of it. `carry` is how many
    tokens other groups are over (negative: under). The last document is drawn where that brings
    the sum of `carry` and the difference to `budget` nearer to 0.

    Raises ValueError where `max_copies` of every row are less than the budget.
    """
    import numpy as np

    copies = np.zeros(len(weights), np.int64)
    drawable = np.flatnonzero((weights > 0) & (tokens > 0))
    supply = int(tokens[drawable].sum())
    if budget <= 0 or supply == 0:
        if budget >= 1:
            raise ValueError("nothing to draw from")
        return copies
    passes = min(int(budget // supply), max_copies)
    copies[drawable] = passes
    rest = budget - passes * supply
    if passes == max_copies:
        if rest > max(1.0, 1e-9 * budget):
            raise ValueError(f"{budget:.0f} tokens from {supply} in {max_copies} copies at most")
        return copies
    with np.errstate(divide="ignore"):
        keys = np.log(weights[drawable]) + noise[drawable]
    order = drawable[np.argsort(-keys, kind="stable")]
    cumulative = np.cumsum(tokens[order])
    under = int(np.searchsorted(cumulative, rest, side="right"))
    short = rest - (cumulative[under - 1] if under else 0)
    over = (cumulative[under] - rest) if under < len(order) else np.inf
    take = under + int(abs(carry + over) < abs(carry - short))
    copies[order[:take]] += 1
    return copies
