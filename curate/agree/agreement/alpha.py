"""Krippendorff's alpha with a bootstrap interval over items.

Alpha is 1 - observed / expected disagreement (Krippendorff 2011, "Computing Krippendorff's
Alpha-Reliability"): 1 is perfect, 0 is chance. The package `krippendorff` computes the value.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Level = Literal["nominal", "ordinal", "interval"]


@dataclass(frozen=True)
class Alpha:
    """Alpha and the 2.5 % and 97.5 % quantiles of its bootstrap."""

    value: float
    low: float | None
    high: float | None


def krippendorff_alpha(
    votes: Sequence[tuple[str, str, Hashable]], level: Level, *, resamples: int, seed: int
) -> Alpha | None:
    """Return alpha of (item, annotator, value) votes; None if nothing can be compared.

    That is so if no item has two answers, or if all answers are the same. Without `resamples`
    the interval is None.
    """
    counts, values = value_counts(votes)
    counts = counts[counts.sum(axis=1) > 1]
    point = _alpha(counts, values, level)
    if point is None:
        return None
    low, high = _interval(counts, values, level, resamples, seed)
    return Alpha(point, low, high)


def value_counts(
    votes: Sequence[tuple[str, str, Hashable]],
) -> tuple[NDArray[np.int64], list[Any]]:
    """Return the count of each value for each item (items x values), and the sorted values."""
    import numpy as np

    row_of = {item: row for row, item in enumerate(dict.fromkeys(item for item, _, _ in votes))}
    values: list[Any] = sorted({value for _, _, value in votes})
    column_of = {value: column for column, value in enumerate(values)}
    counts = np.zeros((len(row_of), len(values)), np.int64)
    for item, _, value in votes:
        counts[row_of[item], column_of[value]] += 1
    return counts, values


def _alpha(counts: NDArray[np.int64], values: list[Any], level: Level) -> float | None:
    import krippendorff

    if (counts.sum(axis=0) > 0).sum() < 2:
        return None
    domain = values if level != "nominal" else list(range(len(values)))
    return float(
        krippendorff.alpha(value_counts=counts, value_domain=domain, level_of_measurement=level)
    )


def _interval(
    counts: NDArray[np.int64], values: list[Any], level: Level, resamples: int, seed: int
) -> tuple[float | None, float | None]:
    import numpy as np

    rng = np.random.default_rng(seed)
    samples = (counts[rng.integers(0, len(counts), len(counts))] for _ in range(resamples))
    alphas = [alpha for sample in samples if (alpha := _alpha(sample, values, level)) is not None]
    if not alphas:
        return None, None
    low, high = np.quantile(alphas, [0.025, 0.975])
    return float(low), float(high)
