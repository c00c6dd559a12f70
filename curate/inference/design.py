"""Means from labels alone, by the probabilities with which texts were drawn.

`values` are the labels (0 or 1 for a share), one a labelled document. The naive mean forgets how
they were drawn: it stands beside the others to show what that does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from curate.inference.estimate import LEVEL, Estimate, not_seen, weighted_mean, with_interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def naive(values: Array) -> Estimate:
    """The plain mean of all labels, whatever their probabilities."""
    import numpy as np

    mean = weighted_mean(values, np.ones(len(values)))
    return with_interval(mean.value, mean.variance, mean.labels, mean.effective)


def horvitz_thompson(values: Array, weights: Array, documents: int) -> Estimate:
    """Σ weight · value / documents (Horvitz and Thompson 1952).

    It is unbiased, but wide where the sum of the weights varies. The variance is that of draws with
    replacement (Hansen and Hurwitz 1943), with the finite population correction.
    """
    import numpy as np

    totals = weights * values * len(values) / documents
    mean = weighted_mean(totals, np.ones(len(values)), not_seen(weights))
    return with_interval(mean.value, mean.variance, mean.labels, mean.effective)


def hajek(values: Array, weights: Array, variances: Array | float = 0.0) -> Estimate:
    """Σ weight · value / Σ weight (Hájek 1971), with its linearised variance.

    Adds Σ u² · variance of each label, where u are the weights as shares.
    """
    mean = weighted_mean(values, weights, not_seen(weights))
    return with_interval(
        mean.value,
        mean.variance + own_variance(weights, variances),
        mean.labels,
        mean.effective,
    )


def share(values: Array, weights: Array, variances: Array | float = 0.0) -> Estimate:
    """Hájek's estimate of a share, within 0 to 1.

    Where all labels agree, they do not vary, and the interval would be a point. It then reaches to
    the share at which so many labels would agree by chance in one case of 20 (Clopper and Pearson
    1934, for the effective number of labels).
    """
    own = hajek(values, weights, variances).within(0, 1)
    agree = bool(len(values)) and values[0] in (0, 1) and bool((values == values[0]).all())
    if own.low is None or not agree or (weights <= 1).all():
        return own
    reach = 1 - ((1 - LEVEL) / 2) ** (1 / own.effective)
    low, high = (own.value, reach) if values[0] < 1 else (1 - reach, own.value)
    return replace(own, low=low, high=high)


def own_variance(weights: Array, variances: Array | float) -> float:
    """What the labels' own uncertainty adds to the variance of their mean: Σ u² · variance."""
    total = weights.sum()
    return float(((weights / total) ** 2 * variances).sum()) if total else 0.0


def post_stratified(
    values: Array, weights: Array, strata: Sequence[str], sizes: Mapping[str, int]
) -> Estimate:
    """The means of the strata, weighted by the documents in each (`sizes`).

    Those who answered stand for their stratum, whatever share of it they are. Strata with fewer
    than two labels are taken as one; so are those without any. The degrees of freedom are
    Satterthwaite's (1946); `effective` is one more.
    """
    import numpy as np

    names = np.array(strata, object)
    rows = {name: np.flatnonzero(names == name) for name in sizes}
    own = [name for name in sizes if len(rows[name]) > 1]
    small = [name for name in sizes if len(rows[name]) <= 1]
    cells = [(rows[name], sizes[name]) for name in own]
    if small:
        cells = _joined(cells, np.concatenate([rows[name] for name in small]),
                        sum(sizes[name] for name in small))  # fmt: skip
    means = [
        weighted_mean(values[place], weights[place], not_seen(weights[place])) for place, _ in cells
    ]
    shares = np.array([size for _, size in cells]) / sum(sizes.values())
    parts = np.array([mean.variance for mean in means]) * shares**2
    freedom = sum(
        part**2 / (mean.effective - 1) for part, mean in zip(parts, means, strict=True) if part
    )
    variance = float(parts.sum())
    value = float(shares @ [mean.value for mean in means])
    effective = variance**2 / freedom + 1 if freedom else float(len(values))
    return with_interval(value, variance, len(values), effective)


def _joined(
    cells: list[tuple[NDArray[np.int64], int]], rows: NDArray[np.int64], size: int
) -> list[tuple[NDArray[np.int64], int]]:
    """The cells, with the small strata as one more; joined to the largest if they have one row."""
    import numpy as np

    if len(rows) > 1 or not cells:
        return [*cells, (rows, size)]
    place = max(range(len(cells)), key=lambda number: cells[number][1])
    most, count = cells[place]
    return [*cells[:place], (np.concatenate([most, rows]), count + size), *cells[place + 1 :]]
