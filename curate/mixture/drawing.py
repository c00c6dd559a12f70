"""The draw: the only place where weights become copies.

`draw` sorts the rows of one group in memory. `Plan`, `cut` and `copies_of` make the same draw from
boundaries that a selection over many batches has found (see `selection`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.mixture.selection import Boundary, Rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Plan:
    """What a group is drawn to: whole passes over it, and the tokens to draw once more.

    `rest` is None where no row may get one copy more.
    """

    passes: int
    rest: float | None
    supply: int

    @staticmethod
    def of(target: float, supply: int, max_copies: int) -> Plan:
        """The plan for a target in tokens. Raises ValueError where the copies are not enough."""
        if target <= 0 or supply == 0:
            if target >= 1:
                raise ValueError("nothing to draw from")
            return Plan(0, None, supply)
        passes = min(int(target // supply), max_copies)
        rest = target - passes * supply
        if passes == max_copies:
            if rest > max(1.0, 1e-9 * target):
                raise ValueError(
                    f"{target:.0f} tokens from {supply} in {max_copies} copies at most"
                )
            return Plan(passes, None, supply)
        return Plan(passes, rest, supply)


@dataclass(frozen=True)
class Cut:
    """Which rows of a group get one copy more: those up to (key, tie), with it if `is_taken`.

    `tokens` are the tokens of all copies. A cut without a key takes no row, or every row.
    """

    passes: int
    tokens: int
    key: int = 0
    tie: int = 0
    is_taken: bool = False
    takes_all: bool = False


def closed(plan: Plan) -> Cut:
    """The cut of a group of which no row may get one copy more."""
    return Cut(plan.passes, plan.passes * plan.supply)


def cut(plan: Plan, boundary: Boundary | None, carry: float) -> Cut:
    """Where a group's draw ends; the last document is taken where that brings the sum nearer.

    `boundary` is where the sum of tokens exceeds the rest of the plan; None where it never does, or
    where there is no rest. `carry` is how many tokens other groups are over (negative: under).
    """
    drawn = plan.passes * plan.supply
    if plan.rest is None:
        return closed(plan)
    if boundary is None:
        return Cut(plan.passes, drawn + plan.supply, takes_all=True)
    short = plan.rest - boundary.before
    over = boundary.before + boundary.weight - plan.rest
    is_taken = abs(carry + over) < abs(carry - short)
    tokens = drawn + boundary.before + (boundary.weight if is_taken else 0)
    return Cut(plan.passes, tokens, boundary.key, boundary.tie, is_taken)


def copies_of(rows: Rows, cuts: Sequence[Cut]) -> NDArray[np.int64]:
    """The copies of each row, by the cuts of the groups in the order of their numbers."""
    import numpy as np

    passes = np.array([cut.passes for cut in cuts], np.int64)
    key = np.array([cut.key for cut in cuts], np.uint64)[rows.group]
    tie = np.array([cut.tie for cut in cuts], np.uint64)[rows.group]
    is_taken = np.array([cut.is_taken for cut in cuts], bool)[rows.group]
    takes_all = np.array([cut.takes_all for cut in cuts], bool)[rows.group]
    before = (rows.key < key) | ((rows.key == key) & (rows.tie < tie))
    at = (rows.key == key) & (rows.tie == tie) & is_taken
    return np.asarray(passes[rows.group] + (before | at | takes_all), np.int64)


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
