"""The draw: the only place where weights become copies.

`draw` sorts the rows of one group in memory. `Plans`, `cuts_of` and `copies_of` make the same draw
from boundaries that a selection over many batches has found (see `selection`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.mixture.selection import Boundaries, Rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


AT_ONCE = 50_000
"""So many units are looked at together: what is computed on the way needs memory for no more."""


@dataclass(frozen=True)
class Plans:
    """What units are drawn to: whole passes over each, and the tokens to draw once more.

    A unit is a group or a cell; all are arrays of one length, in the order of the units' numbers.
    After the passes every row has that many copies at least; `drawn` are the tokens that this adds.
    `rest` is to be drawn once more from the rows that have no more copies yet, which hold `supply`
    tokens. It is NaN where no row may get one copy more.
    """

    passes: NDArray[np.int64]
    drawn: NDArray[np.int64]
    rest: NDArray[np.float64]
    supply: NDArray[np.int64]

    @staticmethod
    def of(
        targets: NDArray[np.float64], levels: NDArray[np.int64], max_copies: NDArray[np.int64]
    ) -> Plans:
        """The plans for targets in tokens that are to be added.

        `levels` are the tokens of the rows that have 0, 1, … copies before: units x levels. Raises
        ValueError where the copies are not enough.
        """
        import numpy as np

        is_open = (targets > 0) & (levels.sum(axis=1) > 0)
        if (targets[~is_open] >= 1).any():
            raise ValueError("nothing to draw from")
        passes, drawn = np.zeros((2, len(targets)), np.int64)
        supply, goes_on = np.where(is_open, 0, levels[:, 0]), is_open.copy()
        for level in levels.T:
            supply += np.where(goes_on, level, 0)
            goes_on &= (passes < max_copies) & (targets - drawn >= supply)
            passes += goes_on
            drawn += np.where(goes_on, supply, 0)
        over, own = np.flatnonzero(goes_on), supply[goes_on]
        # From here on every pass is over all rows.
        more = ((targets[over] - drawn[over]) // own).astype(np.int64)
        more = np.minimum(more, max_copies[over] - passes[over])
        passes[over] += more
        drawn[over] += more * own
        is_full = is_open & (passes == max_copies)
        rest = targets - drawn
        _check_filled(targets[is_full], drawn[is_full], max_copies[is_full])
        return Plans(passes, drawn, np.where(is_open & ~is_full, rest, np.nan), supply)


def _check_filled(
    targets: NDArray[np.float64], drawn: NDArray[np.int64], max_copies: NDArray[np.int64]
) -> None:
    """Raise ValueError where all copies that are allowed are less than the target."""
    import numpy as np

    short = np.flatnonzero(targets - drawn > np.maximum(1.0, 1e-9 * targets))
    if len(short):
        target, tokens, most = (own[short[0]] for own in (targets, drawn, max_copies))
        raise ValueError(f"{target:.0f} tokens from {tokens} in {most} copies at most")


@dataclass(frozen=True)
class Cuts:
    """Which rows of each unit get one copy more, as arrays in the order of the units' numbers.

    Those up to (key, tie) do, with that one if `is_taken`. `tokens` are the tokens of all copies.
    A unit whose key and tie are 0 takes no row, or every row if `takes_all`.
    """

    passes: NDArray[np.int64]
    tokens: NDArray[np.int64]
    key: NDArray[np.uint64]
    tie: NDArray[np.uint64]
    is_taken: NDArray[np.bool_]
    takes_all: NDArray[np.bool_]


def cuts_of(
    plans: Plans, targets: NDArray[np.float64], ends: Boundaries, carry: float = 0.0
) -> Cuts:
    """Where the draw of each unit ends; each unit makes up for those before it.

    `ends` are where the sum of tokens exceeds the rest of a plan, for all plans that have one, in
    their order. The last document is taken where that brings the sum of all units nearer. `carry`
    is how many tokens other units are over (negative: under).
    """
    import numpy as np

    sought = ~np.isnan(plans.rest)
    ends = ends.spread(np.flatnonzero(sought), len(targets))
    takes_all = sought & ~ends.is_there
    tokens, is_taken = np.empty(len(targets), np.int64), np.empty(len(targets), bool)
    for start in range(0, len(targets), AT_ONCE):
        own = slice(start, start + AT_ONCE)
        is_there, rest, target = ends.is_there[own], plans.rest[own], targets[own]
        before, weight = ends.before[own], ends.weight[own]
        least = plans.drawn[own] + np.where(takes_all[own], plans.supply[own], before)
        short = np.where(is_there, rest - before, 0.0)
        over = np.where(is_there, before + weight - rest, np.inf)
        is_taken[own], carry = _nearer(short, over, least - target, least + weight - target, carry)
        tokens[own] = least + np.where(is_taken[own], weight, 0)
    return Cuts(plans.passes, tokens, ends.key, ends.tie, is_taken, takes_all)


def _nearer(
    short: NDArray[np.float64],
    over: NDArray[np.float64],
    without: NDArray[np.float64],
    with_last: NDArray[np.float64],
    carry: float,
) -> tuple[NDArray[np.bool_], float]:
    """Whether each unit takes its last document, and the carry behind them.

    What a unit is over or short, others make up for. `short` and `over` are the differences to the
    rest of its plan, `without` and `with_last` those to its target.
    """
    import numpy as np

    is_taken = np.zeros(len(short), bool)
    rows = zip(short.data, over.data, without.data, with_last.data, strict=True)
    for place, (under, above, less, more) in enumerate(rows):
        is_nearer = abs(carry + above) < abs(carry - under)
        carry += more if is_nearer else less
        is_taken[place] = is_nearer
    return is_taken, carry


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
