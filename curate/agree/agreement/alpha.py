"""Krippendorff's alpha, with an interval for these people and one for people like them.

Alpha is 1 - observed / expected disagreement (Krippendorff 2011, "Computing Krippendorff's
Alpha-Reliability"): 1 is perfect, 0 is chance. The package `krippendorff` computes the value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]
    Floats = NDArray[np.float64]

Level = Literal["nominal", "ordinal", "interval"]

QUANTILES = (0.025, 0.975)
"""The ends of a 95 % interval."""


@dataclass(frozen=True)
class Interval:
    """The ends of a 95 % interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Alpha:
    """Alpha with its 95 % intervals; None where there is none.

    `these` is by a bootstrap over items: it holds for these people on texts like these. `others`
    is by a jackknife over people: it holds for people like these.
    """

    value: float
    these: Interval | None
    others: Interval | None


def krippendorff_alpha(
    votes: Sequence[tuple[str, str, Hashable]], level: Level, *, resamples: int, seed: int
) -> Alpha | None:
    """Alpha of (item, annotator, value) votes; None if nothing can be compared.

    That is so if no item has two answers, or if all answers are the same. Without `resamples`
    there is no bootstrap.
    """
    table = Table.of(votes)
    point = _alpha(table.counts, table.values, level)
    if point is None:
        return None
    without_each = [_alpha(counts, table.values, level) for counts in table.without_each()]
    return Alpha(
        point,
        _bootstrap(table, level, resamples, seed),
        jackknife(point, [alpha for alpha in without_each if alpha is not None]),
    )


@dataclass(frozen=True)
class Table:
    """The count of each value for each item (items x values), and the sorted values.

    `cells` are the rows and columns of each person's answers.
    """

    counts: Counts
    values: list[Any]
    cells: list[tuple[Counts, Counts]]

    @staticmethod
    def of(votes: Sequence[tuple[str, str, Hashable]]) -> Table:
        """The table of (item, annotator, value) votes."""
        import numpy as np

        items = dict.fromkeys(item for item, _, _ in votes)
        row_of = {item: row for row, item in enumerate(items)}
        values: list[Any] = sorted({value for _, _, value in votes})
        column_of = {value: column for column, value in enumerate(values)}
        cells_of: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for item, person, value in votes:
            cells_of[person].append((row_of[item], column_of[value]))
        counts = np.zeros((len(row_of), len(values)), np.int64)
        cells = [
            (rows, columns) for rows, columns in (np.array(own).T for own in cells_of.values())
        ]
        for own in cells:
            np.add.at(counts, own, 1)
        return Table(counts, values, cells)

    def without_each(self) -> Iterator[Counts]:
        """Yield the counts without each person."""
        import numpy as np

        for own in self.cells:
            counts = self.counts.copy()
            np.subtract.at(counts, own, 1)
            yield counts


def jackknife(point: float, without_each: Sequence[float]) -> Interval | None:
    """The 95 % t-interval of alpha over people, from alpha without each; None for fewer than three.

    Its standard error is the jackknife's (Efron and Stein 1981). Alpha is at most 1.
    """
    import numpy as np
    from scipy.special import stdtrit

    n = len(without_each)
    if n < 3:
        return None
    error = np.sqrt((n - 1) * np.var(without_each))
    reach = float(stdtrit(n - 1, QUANTILES[1]) * error)
    return Interval(max(point - reach, -1.0), min(point + reach, 1.0))


def _alpha(counts: Counts, values: list[Any], level: Level) -> float | None:
    import krippendorff

    counts = counts[counts.sum(axis=1) > 1]
    if (counts.sum(axis=0) > 0).sum() < 2:
        return None
    domain = values if level != "nominal" else list(range(len(values)))
    return float(
        krippendorff.alpha(value_counts=counts, value_domain=domain, level_of_measurement=level)
    )


def _bootstrap(table: Table, level: Level, resamples: int, seed: int) -> Interval | None:
    """The 95 % interval of alpha over texts drawn again."""
    import numpy as np

    counts = table.counts[table.counts.sum(axis=1) > 1]
    rng = np.random.default_rng(seed)
    drawn = (rng.integers(0, len(counts), len(counts)) for _ in range(resamples))
    if level == "ordinal":  # its distances depend on the sample
        alphas = [_alpha(counts[rows], table.values, level) for rows in drawn]
        known = np.array([alpha for alpha in alphas if alpha is not None])
    else:
        distance = distances(table.values, level)
        parts = [weighted_alphas(counts, distance, times) for times in _times(drawn, len(counts))]
        known = np.concatenate(parts) if parts else np.zeros(0)
    if not len(known):
        return None
    low, high = np.quantile(known, QUANTILES)
    return Interval(float(low), float(high))


MOST_CELLS = 4_000_000
"""So many counts of items are in memory at once."""


def _times(drawn: Iterator[Counts], items: int) -> Iterator[Counts]:
    """Yield how often each sample has each item, some samples at a time: samples x items."""
    import numpy as np

    while rows := list(islice(drawn, max(1, MOST_CELLS // items))):
        yield np.array([np.bincount(own, minlength=items) for own in rows])


def distances(values: Sequence[Any], level: Level) -> Floats:
    """How far two values differ: values x values."""
    import numpy as np

    if level == "nominal":
        return 1 - np.eye(len(values))
    numbers = np.array(values, float)
    return np.asarray((numbers[:, None] - numbers) ** 2)


def weighted_alphas(counts: Counts, distance: Floats, times: Counts) -> Floats:
    """Alpha of samples in which each item stands so many times; without those that have none.

    counts: items x values, each item with two answers or more. times: samples x items.
    """
    import numpy as np

    answers = counts.sum(axis=1)
    own = np.einsum("ij,ik,jk->i", counts, counts, distance) / (answers - 1)
    totals, number = times @ counts, times @ answers
    observed = times @ own
    expected = np.einsum("sj,sk,jk->s", totals, totals, distance) / np.maximum(number - 1, 1)
    is_known = (totals > 0).sum(axis=1) > 1
    return np.asarray(1 - observed[is_known] / expected[is_known])
