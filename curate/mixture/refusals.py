"""The words for limits that leave no shares: what falls short, or which limits are in conflict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from curate.mixture import conflicts
from curate.mixture.conflicts import Side
from curate.mixture.cover import Cover
from curate.mixture.limits import EPOCHS, TOLERANCE, Infeasible, Limit
from curate.rounding import rounded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

NAMED = 5
"""So many groups or limits are named in an error."""

MORE_SUPPLY = "lower `mix.budget`, or raise `mix.max_epochs`"


def refuse(
    cover: Cover,
    limits: Sequence[Limit],
    names: Sequence[str],
    is_wanted: NDArray[np.bool_],
    supply: Array,
) -> None:
    """Raise Infeasible if no shares keep the limits.

    The first rows of `cover` are the limits. `names` are the groups of the cells, `supply` is 0
    for cells without a document.
    """
    if not len(cover.cells):
        _refuse_total(cover, limits, names, is_wanted, supply, 0.0)
    _refuse_one(cover, limits)
    filled, taken = conflicts.fullest(cover)
    if filled.sum() < 1 - TOLERANCE:
        _refuse_total(cover, limits, names, is_wanted, supply, float(filled.sum()), filled, taken)
    sides = [side for side in conflicts.conflict(cover) if side[0] < len(limits)]
    if sides:
        _refuse_conflict(cover, limits, sides)


def _refuse_total(
    cover: Cover,
    limits: Sequence[Limit],
    names: Sequence[str],
    is_wanted: NDArray[np.bool_],
    supply: Array,
    total: float,
    filled: Array | None = None,
    taken: Array | None = None,
) -> None:
    """Raise Infeasible: the largest shares together are too small."""
    import numpy as np

    is_meant = is_wanted.copy()
    for limit in limits:
        if limit.low > 0:
            is_meant[limit.cells] = True
    shares = np.zeros(len(names))
    reason = np.full(len(names), -1)
    if filled is not None and taken is not None:
        part = np.divide(filled, cover.reach, out=np.zeros(len(filled)), where=cover.reach > 0)
        shares[cover.cells] = cover.top * part[cover.pattern]
        is_short = np.zeros(len(names), bool)
        is_short[cover.cells] = (filled < cover.reach - TOLERANCE)[cover.pattern]
        own = set(names)
        for row in sorted(np.flatnonzero(taken), key=lambda row: limits[row].name in own):
            reason[limits[row].cells[is_short[limits[row].cells]]] = row
    most: dict[str, float] = {}
    why: dict[str, int] = {}
    for cell in np.flatnonzero(is_meant).tolist():
        most[names[cell]] = most.get(names[cell], 0.0) + float(shares[cell])
        why[names[cell]] = max(why.get(names[cell], -1), int(reason[cell]))
    listed = [
        f"{name} {rounded(most[name], '.2%')} ({_side(name, limits, why[name])})" for name in most
    ]
    sides = {EPOCHS if row < 0 else limits[row].high_name for row in why.values()}
    hints = [_room(side) for side in sorted(sides, reverse=True)]
    outside = np.flatnonzero(~is_meant & (supply > 0))
    for limit in limits:
        if limit.high <= 0:
            outside = np.setdiff1d(outside, limit.cells)
    hints += [f"give {names[cell]} a `min`" for cell in outside[:1]]
    raise Infeasible(
        f"the groups can fill {rounded(total, '.2%')} of it: {_listed(listed)}",
        ", or ".join(hints) or "no group has a share",
    )


def _side(name: str, limits: Sequence[Limit], row: int) -> str:
    """The side that a group has reached, with the limit's name if that is another's."""
    if row < 0:
        return EPOCHS
    own = limits[row]
    return own.high_name if own.name == name else f"{own.name} {own.high_name}"


def _refuse_one(cover: Cover, limits: Sequence[Limit]) -> None:
    """Raise Infeasible if the lower side of a limit is out of its cells' reach, or of its upper."""
    reach = cover.rows @ cover.reach
    for limit, supply in zip(limits, reach, strict=False):
        most, why = min((float(supply), EPOCHS), (limit.high, limit.high_name))
        if limit.low > most + TOLERANCE:
            raise Infeasible(
                f"{limit.name} must have {rounded(limit.low, '.2%')} ({limit.low_name}) "
                f"and can have {rounded(most, '.2%')} ({why})",
                f"lower the `{limit.low_name}` of {limit.name}, or {_room(why)}",
            )


def _refuse_conflict(cover: Cover, limits: Sequence[Limit], sides: Sequence[Side]) -> None:
    """Raise Infeasible: these sides, at least one of them a lower one, exclude one another."""
    lows = [limits[row] for row, is_low in sides if is_low]
    highs = [limits[row] for row, is_low in sides if not is_low]
    row = max(row for row, is_low in sides if is_low)
    others = [side for side in sides if side != (row, True)]
    total = sum(limit.low for limit in lows)
    if not highs and total > 1 + TOLERANCE and _are_apart(lows):
        least = [f"{limit.name} {rounded(limit.low, '.2%')}" for limit in lows]
        side = lows[0].low_name
        raise Infeasible(
            f"the smallest shares sum to {rounded(total, '.2%')} ({side}): {_listed(least)}",
            f"lower `{side}` in `mix.limits`",
        )
    words = [
        f"{limits[at].name} {limits[at].side(low)} {_end(limits[at], low)}" for at, low in sides
    ]
    hints = [
        f"{'lower' if low else 'raise'} `{limits[at].side(low)}` of {limits[at].name}"
        for at, low in sides[:NAMED]
    ]
    most = conflicts.greatest(cover, row, others) or 0.0
    raise Infeasible(
        f"{_listed(words, ' and ')} contradict each other: "
        f"at most {_percent(most)} can be {limits[row].name}",
        ", or ".join(hints),
    )


def _are_apart(limits: Sequence[Limit]) -> bool:
    """Whether no cell is in two of the limits."""
    import numpy as np

    cells = np.concatenate([limit.cells for limit in limits])
    return len(np.unique(cells)) == len(cells)


def _end(limit: Limit, is_low: bool) -> str:
    return _percent(limit.low if is_low else limit.high)


def _percent(share: float) -> str:
    return f"{100 * share:.4g}%"


def _room(side: str) -> str:
    """What makes room where a side has been reached."""
    return MORE_SUPPLY if side == EPOCHS else f"raise `{side}` in `mix.limits`"


def _listed(items: Sequence[str], joint: str = ", ") -> str:
    more = f" and {len(items) - NAMED} more" if len(items) > NAMED else ""
    return joint.join(items[:NAMED]) + more
