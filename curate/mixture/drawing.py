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

    After the passes every row has that many copies at least; `drawn` are the tokens that this adds.
    `rest` is to be drawn once more from the rows that have no more copies yet, which hold `supply`
    tokens. It is None where no row may get one copy more.
    """

    passes: int
    drawn: int
    rest: float | None
    supply: int

    @staticmethod
    def of(target: float, levels: Sequence[int], max_copies: int) -> Plan:
        """The plan for a target in tokens that are to be added.

        `levels` are the tokens of the rows that have 0, 1, … copies before. Raises ValueError where
        the copies are not enough.
        """
        passes, drawn, supply = 0, 0, 0
        if target <= 0 or not sum(levels):
            if target >= 1:
                raise ValueError("nothing to draw from")
            return Plan(0, 0, None, levels[0])
        for level in levels:
            supply += level
            if passes == max_copies or target - drawn < supply:
                break
            passes, drawn = passes + 1, drawn + supply
        if passes == len(levels):  # from here on every pass is over all rows
            more = min(int((target - drawn) // supply), max_copies - passes)
            passes, drawn = passes + more, drawn + more * supply
        rest = target - drawn
        if passes == max_copies:
            if rest > max(1.0, 1e-9 * target):
                raise ValueError(f"{target:.0f} tokens from {drawn} in {max_copies} copies at most")
            return Plan(passes, drawn, None, supply)
        return Plan(passes, drawn, rest, supply)


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
    return Cut(plan.passes, plan.drawn)


def cut(plan: Plan, boundary: Boundary | None, carry: float) -> Cut:
    """Where a group's draw ends; the last document is taken where that brings the sum nearer.

    `boundary` is where the sum of tokens exceeds the rest of the plan; None where it never does, or
    where there is no rest. `carry` is how many tokens other groups are over (negative: under).
    """
    if plan.rest is None:
        return closed(plan)
    if boundary is None:
        return Cut(plan.passes, plan.drawn + plan.supply, takes_all=True)
    short = plan.rest - boundary.before
    over = boundary.before + boundary.weight - plan.rest
    is_taken = abs(carry + over) < abs(carry - short)
    tokens = plan.drawn + boundary.before + (boundary.weight if is_taken else 0)
    return Cut(plan.passes, tokens, boundary.key, boundary.tie, is_taken)


@dataclass(frozen=True)
class Cuts:
    """The cuts of all groups as arrays, in the order of their numbers; they travel to workers."""

    passes: NDArray[np.int64]
    tokens: NDArray[np.int64]
    key: NDArray[np.uint64]
    tie: NDArray[np.uint64]
    is_taken: NDArray[np.bool_]
    takes_all: NDArray[np.bool_]

    @staticmethod
    def of(cuts: Sequence[Cut]) -> Cuts:
        """The cuts of groups in their order."""
        import numpy as np

        rows = [
            (own.passes, own.tokens, own.key, own.tie, own.is_taken, own.takes_all) for own in cuts
        ]
        types = (np.int64, np.int64, np.uint64, np.uint64, np.bool_, np.bool_)
        columns = zip(*rows, strict=True) if rows else [()] * len(types)
        return Cuts(*(np.array(column, type) for column, type in zip(columns, types, strict=True)))


def copies_of(rows: Rows, cuts: Cuts, before: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """The copies that each row gets; one of weight 0 gets none.

    `before` are the copies that it has (None: none has any): only the rows with no more of them
    than there are passes are among those that get one more.
    """
    import numpy as np

    key, tie, passes = cuts.key[rows.group], cuts.tie[rows.group], cuts.passes[rows.group]
    is_first = (rows.key < key) | ((rows.key == key) & (rows.tie < tie))
    is_last = (rows.key == key) & (rows.tie == tie) & cuts.is_taken[rows.group]
    copies = passes + (is_first | is_last | cuts.takes_all[rows.group])
    if before is not None:
        copies = np.where(before <= passes, copies, before) - before
    return np.where(rows.weight > 0, copies, 0)


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
