"""Bootstrap intervals of any measure of items: how far other items of the kind would move it.

Items (documents, comparisons) are drawn with replacement. A measure takes counts, how often each
item was drawn, so that a resample never copies anything. The predictions are those that stand: what
other labels would have taught the heads is not in the interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEVEL = 0.95
"""The probability with which an interval holds the measure of all items of the kind."""

RESAMPLES = 2000

GROUPS = 500
"""Parts that are left out in turn; of fewer items each is one."""

CELLS = 4_000_000
"""Numbers in memory at a time: resamples times items."""

Measures = Callable[["Array"], "Array"]
"""From counts (resamples x items) to measures (resamples x measures)."""


@dataclass(frozen=True)
class Interval:
    """A measure and the ends of its 95 % interval.

    The ends are None where no resample differs: fewer than 2 items, or all of them alike.
    """

    value: float
    low: float | None
    high: float | None


def bootstrap(
    measures: Measures, items: int, *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[Interval, ...]:
    """The interval of every measure: bias-corrected and accelerated (Efron 1987).

    The ends are the quantiles Φ(z0 + (z0 ± z) / (1 - a (z0 ± z))) of the resampled measure: z0 is
    Φ⁻¹ of the share of resamples below the measure (half of those that equal it), a is
    Σ d³ / (6 (Σ d²)^1.5) over d, how far the measure falls where one part of the items is left out.
    """
    import numpy as np

    whole = measures(np.ones((1, items)))[0]
    if items < 2:
        return tuple(Interval(value, None, None) for value in whole.tolist())
    rng = np.random.default_rng(seed)
    drawn = np.concatenate([measures(counts) for counts in _resampled(items, resamples, rng)])
    without = np.concatenate([measures(counts) for counts in _left_out(items)])
    return tuple(
        _interval(value, drawn[:, column], without[:, column])
        for column, value in enumerate(whole.tolist())
    )


def _resampled(items: int, resamples: int, rng: np.random.Generator) -> Iterator[Array]:
    """Yield blocks of counts of items drawn with replacement."""
    import numpy as np

    for size in _blocks(resamples, items):
        rows = np.repeat(np.arange(size), items) * items
        drawn = rng.integers(0, items, size * items)
        yield np.bincount(rows + drawn, minlength=size * items).reshape(size, items).astype(float)


def _left_out(items: int) -> Iterator[Array]:
    """Yield blocks of counts of all items but a part."""
    import numpy as np

    parts = min(items, GROUPS)
    part_of = np.arange(items) * parts // items
    start = 0
    for size in _blocks(parts, items):
        yield (part_of != np.arange(start, start + size)[:, None]).astype(float)
        start += size


def _blocks(rows: int, items: int) -> Iterator[int]:
    size = max(1, CELLS // items)
    return (min(size, rows - start) for start in range(0, rows, size))


def _interval(value: float, drawn: Array, without: Array) -> Interval:
    import numpy as np
    from scipy.special import ndtr, ndtri

    if np.ptp(drawn) < 1e-12:
        return Interval(value, None, None)
    below = (drawn < value - 1e-12).mean() + (abs(drawn - value) <= 1e-12).mean() / 2
    edge = 0.5 / len(drawn)
    bias = ndtri(min(max(float(below), edge), 1 - edge))
    falls = without.mean() - without
    squares = float((falls**2).sum())
    skew = float((falls**3).sum()) / (6 * squares**1.5) if squares > 0 else 0.0
    ends = bias + ndtri([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    low, high = np.quantile(drawn, ndtr(bias + ends / (1 - skew * ends)))
    return Interval(value, float(low), float(high))


def ratio_of_sums(parts: Array) -> Callable[[Array], Array]:
    """From counts (resamples x items) to the mean of each column of `parts` (items x columns)."""
    return lambda counts: counts @ parts / counts.sum(axis=1, keepdims=True)
