"""How far the shares of a mixture are uncertain, because the qualities of its groups are.

The quality of a group is estimated from few labels. It is drawn many times from Student's t, and
each draw goes through all that makes shares. The quantiles of these shares are the interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from math import nan, sqrt
from typing import TYPE_CHECKING

from curate.inference.estimate import LEVEL, Estimate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

DRAWS = 1_000

LEAST = 5
"""Labels of a group below which these labels alone do not tell its quality."""

LEAST_GROUPS = 3
"""Groups with a quality of their own below which nothing is known of the others."""

FEW = 20
"""Labels behind a group below which this is said."""


@dataclass(frozen=True)
class GroupQualities:
    """The mean quality of each group, 0 to 1, and how uncertain it is; one entry a group.

    means: what shares follow. errors: standard errors. freedom: degrees of Student's t; 0 says
    that nothing is known, so that any quality from 0 to 1 is as likely. labels: how many are behind
    a group. effective: so many of equal weight would say as much (Kish).
    """

    names: tuple[str, ...]
    means: Array
    errors: Array
    freedom: Array
    labels: NDArray[np.int64]
    effective: Array

    def few(self) -> list[str]:
        """The groups with fewer than 20 labels behind them, in the order of the groups."""
        return [
            name
            for name, labels in zip(self.names, self.labels.tolist(), strict=True)
            if labels < FEW
        ]


def qualities_of(
    foreseen: Mapping[str, float], estimates: Mapping[str, Estimate]
) -> GroupQualities:
    """The qualities of groups, from their mean predictions and from prediction-powered means.

    A group with fewer than 5 labels is one more of those that have 5: what these correct the
    predictions by (estimate - mean prediction), on the mean, corrects its own. Its error is that of
    a further value from so few, s · √(1 + 1 / k), with k - 1 degrees. If fewer than 3 groups have 5
    labels, nothing is known of it but its prediction.
    """
    import numpy as np

    names = tuple(foreseen)
    own = [name for name in names if tells(estimates.get(name))]
    corrections = np.array([estimates[name].value - foreseen[name] for name in own])
    is_known = len(own) >= LEAST_GROUPS
    middle = float(corrections.mean()) if is_known else 0.0
    error = float(corrections.std(ddof=1)) * sqrt(1 + 1 / len(own)) if is_known else nan
    rows = []
    for name in names:
        estimate = estimates.get(name)
        labels, effective = (estimate.labels, estimate.effective) if estimate else (0, 0.0)
        if estimate is not None and tells(estimate):
            rows.append((estimate.value, estimate.error, effective - 1, labels, effective))
        else:
            freedom = len(own) - 1.0 if is_known else 0.0
            rows.append((foreseen[name] + middle, error, freedom, labels, effective))
    means, errors, degrees, counts, numbers = np.array(rows, np.float64).reshape(-1, 5).T
    return GroupQualities(
        names, means.clip(0, 1), errors, degrees, counts.astype(np.int64), numbers
    )


def tells(estimate: Estimate | None) -> bool:
    """Whether a group's own labels tell its quality: 5 of them, with an interval."""
    return estimate is not None and estimate.low is not None and estimate.labels >= LEAST


def draws_of(qualities: GroupQualities, *, draws: int = DRAWS, seed: int = 0) -> Array:
    """Qualities drawn from Student's t, cut to 0 to 1: draws x groups.

    The quantiles of a group are spread evenly, one in each n-th part (a Latin hypercube; McKay et
    al. 1979). So a group's own interval is exact, and chance remains only in what meets what.
    """
    import numpy as np
    from scipy.special import stdtrit

    rng = np.random.default_rng(seed)
    size = (len(qualities.names), draws)
    chances = (rng.permuted(np.tile(np.arange(draws), (size[0], 1)), axis=1) + 0.5) / draws
    is_known = qualities.freedom > 0
    drawn = chances.copy()
    deviations = stdtrit(qualities.freedom[is_known, None], chances[is_known])
    drawn[is_known] = (
        qualities.means[is_known, None] + qualities.errors[is_known, None] * deviations
    )
    return np.asarray(drawn.clip(0, 1).T)


@dataclass(frozen=True)
class Ends:
    """The ends of 90 % intervals, one entry a group."""

    low: Array
    high: Array


def ends(values: Array) -> Ends:
    """The quantiles of 5 % and 95 % of drawn values: draws x groups."""
    import numpy as np

    low, high = np.quantile(values, ((1 - LEVEL) / 2, (1 + LEVEL) / 2), axis=0)
    return Ends(low, high)


def promised_intervals(draws: Array, shares: Callable[[Array], Array]) -> Ends:
    """The intervals of shares: `shares` makes the promised ones from the qualities of groups.

    It is called for each draw; only its result is kept, whatever cells it needs.
    """
    import numpy as np

    return ends(np.stack([shares(qualities) for qualities in draws]))


def not_told_apart(names: tuple[str, ...], draws: Array) -> list[tuple[str, ...]]:
    """The groups that cannot be told apart at 90 %, as sets of names, best quality first.

    Two groups cannot be told apart if the 90 % interval of their difference holds 0. In a set no
    two can. The sets are neighbours by mean quality, as many as fit; a pair in no such set stands
    alone. Each pair is judged by itself: of ten pairs of equal groups one is told apart by chance.
    """
    import numpy as np

    order = np.argsort(-draws.mean(axis=0), kind="stable")
    alike = _alike(draws[:, order])
    runs = list(_runs(alike))
    inside = {pair for run in runs for pair in combinations(run, 2)}
    pairs = map(tuple, np.argwhere(np.triu(alike, 1)).tolist())
    sets = [*runs, *(pair for pair in pairs if pair not in inside)]
    return [tuple(names[order[place]] for place in own) for own in sorted(sets)]


def _alike(draws: Array) -> NDArray[np.bool_]:
    """Whether the interval of the difference of two columns holds 0: columns x columns."""
    import numpy as np

    tail, size = (1 - LEVEL) / 2, draws.shape[1]
    alike = np.empty((size, size), bool)
    for place in range(size):
        differences = draws[:, [place]] - draws
        above, below = (differences > 0).mean(axis=0), (differences < 0).mean(axis=0)
        alike[place] = (above <= 1 - tail) & (below <= 1 - tail)
    return alike


def _runs(alike: NDArray[np.bool_]) -> Iterator[tuple[int, ...]]:
    """The longest runs of neighbours of which no two can be told apart."""
    size, last = len(alike), 0
    for first in range(size):
        end = first + 1
        while end < size and alike[end, first:end].all():
            end += 1
        if end - first > 1 and end > last:
            yield tuple(range(first, end))
            last = end
