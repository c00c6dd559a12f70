"""Decide from what was measured: the first reason, in order, for which a document goes.

Nothing here reads a text: another threshold decides again in a moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from curate.clean.instruments.registry import Asked
from curate.clean.rules.registry import RuleName, Rules, rows_by_rules
from curate.clean.rules.signals import Range

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


def decide(
    measured: pa.Table,
    *,
    rules: Rules,
    limits: Mapping[str, Range],
    instruments: Sequence[Asked],
) -> pa.Array:
    """Return the reason of each document, null where it passes.

    `rules` are the sets of each source, in the order of the verdict, `limits` the ranges of their
    signals; the instruments follow in their order.
    """
    import numpy as np
    import pyarrow as pa

    names = [*limits, *(each.name for each in instruments)]
    verdicts: list[NDArray[np.bool_]] = [
        *(outside(measured[name].to_numpy(), bounds) for name, bounds in limits.items()),
        *(each.instrument.fails(measured, each.settings) for each in instruments),
    ]
    first = np.full(measured.num_rows, -1)
    for chosen, rows in rows_by_rules(rules, measured["source"].to_pylist()).items():
        ours = np.array(rows)
        for place in reversed(_order(chosen, [*limits], len(names))):
            first[ours[verdicts[place][ours]]] = place
    return pa.array(names, pa.string()).take(pa.array(first, mask=first < 0))


def _order(chosen: Sequence[RuleName], signals: Sequence[str], n: int) -> list[int]:
    """Return the places of the sets' signals, set by set, then of what follows the signals."""
    found = [
        place
        for name in chosen
        for place, signal in enumerate(signals)
        if signal.split(":")[0] == name
    ]
    return [*found, *range(len(signals), n)]


def outside(values: NDArray[np.float32], bounds: Range) -> NDArray[np.bool_]:
    """Return which values lie outside a range; what could not be measured (NaN) does not.

    Limits are rounded to the signals' precision: a share of exactly .3 passes a limit of .3.
    """
    import numpy as np

    low, high = bounds
    failed = np.zeros(len(values), bool)
    if low is not None:
        failed |= values < np.float32(low)
    if high is not None:
        failed |= values > np.float32(high)
    return failed
