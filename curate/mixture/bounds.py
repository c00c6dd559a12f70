"""What limits mean for a group: its least and greatest share, and the limit that moved it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.mixture.limits import EPOCHS, Limit
from curate.mixture.projection import BINDS, Projected

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Bounds:
    """The least and the greatest share of each group, and the name of the limit that moved it.

    `bound` is the side of the group's own limit, `max_epochs` where its cells are at their tops,
    else the limit that moved it most, as in `source=web max_share`; None if none did.
    """

    low: Array
    high: Array
    bound: tuple[str | None, ...]


def bounds_of(
    groups: Sequence[str],
    group: NDArray[np.int64],
    limits: Sequence[Limit],
    top: Array,
    is_wanted: NDArray[np.bool_],
    projected: Projected,
) -> Bounds:
    """The bounds of groups; `group` is the number of each cell's group."""
    low, high = _ends(len(groups), group, limits, top, is_wanted)
    return Bounds(low, high, _moved_by(groups, group, limits, is_wanted, projected))


def _ends(
    groups: int,
    group: NDArray[np.int64],
    limits: Sequence[Limit],
    top: Array,
    is_wanted: NDArray[np.bool_],
) -> tuple[Array, Array]:
    """The least and greatest sums over each group's cells that single limits allow.

    A cell that is neither wanted nor in a limit with a `low` has 0.
    """
    import numpy as np

    sizes = np.bincount(group, minlength=groups)
    low, whole = np.zeros(groups), np.ones(groups)
    most = np.where(is_wanted, top, 0.0)
    for limit in limits:
        if limit.low > 0:
            most[limit.cells] = top[limit.cells]
    for limit in limits:
        most[limit.cells] = np.minimum(most[limit.cells], limit.high)
        if not len(limit.cells):
            continue
        covered = np.bincount(group[limit.cells], minlength=groups)
        own = np.flatnonzero(covered)
        if len(own) == 1:
            low[own] = np.maximum(low[own], limit.low)
        full = own[covered[own] == sizes[own]]
        whole[full] = np.minimum(whole[full], limit.high)
    return low, np.minimum(whole, np.bincount(group, most, groups))


def _moved_by(
    groups: Sequence[str],
    group: NDArray[np.int64],
    limits: Sequence[Limit],
    is_wanted: NDArray[np.bool_],
    projected: Projected,
) -> tuple[str | None, ...]:
    """The limit that moved each group.

    The pressure of a limit on a group is its multiplier times the group's share under it.
    """
    import numpy as np

    count = len(groups)
    number = {name: place for place, name in enumerate(groups)}
    shares = projected.shares
    bound: list[str | None] = [None] * count
    has = shares > 0
    pressure = np.bincount(group[has], shares[has] * projected.held[has], count)
    for place in np.flatnonzero(pressure > BINDS * np.bincount(group, shares, count)):
        bound[place] = EPOCHS
    entered = np.flatnonzero(~is_wanted & (shares > 0))
    has_entered = np.bincount(group[entered], minlength=count) > 0
    is_full = np.bincount(group, projected.held <= BINDS, count) == 0
    owns: dict[int, str] = {}
    for limit, multiplier in zip(limits, projected.multipliers, strict=True):
        own = number.get(limit.name)
        lets_in = limit.low > 0 and len(limit.cells) > 0
        if abs(multiplier) < BINDS and not lets_in:
            continue
        touched = np.unique(group[limit.cells])
        side = limit.side(bool(multiplier > 0))
        if abs(multiplier) >= BINDS:
            weight = np.bincount(group[limit.cells], shares[limit.cells], count)
            weight[weight > 0] *= abs(multiplier)
            for place in touched[weight[touched] > pressure[touched]]:
                pressure[place] = weight[place]
                bound[place] = side if place == own else f"{limit.name} {side}"
            if own is not None:
                owns[own] = side
        if lets_in and multiplier > -BINDS:
            for place in touched[has_entered[touched]]:
                name = limit.low_name if place == own else f"{limit.name} {limit.low_name}"
                bound[place] = bound[place] or name
    for place in np.flatnonzero(is_full):
        bound[place] = EPOCHS
    for place, side in owns.items():
        bound[place] = side
    return tuple(bound)
