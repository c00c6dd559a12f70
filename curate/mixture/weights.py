"""Weights: which documents of a group are preferred.

A weigher gives every row of a batch a weight, 0 or more, from its quality (or the rank of it) and
the facts of its group. It knows no budget and no chance. A row of weight 0 is never drawn, and is
no part of the supply.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.mixture.groups import Facts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Qualities:
    """Mean, standard deviation and maximum of the known qualities, by the number of the group."""

    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    high: NDArray[np.float64]

    @staticmethod
    def of(groups: Sequence[Facts]) -> Qualities:
        """The figures of groups in their order; a group without quality has zeros."""
        import numpy as np

        high = [facts.high if facts.known else 0.0 for facts in groups]
        mean, spread = [facts.mean for facts in groups], [facts.spread for facts in groups]
        return Qualities(np.array(mean), np.array(spread), np.array(high))


@dataclass(frozen=True)
class Within:
    """How quality becomes weight; each strategy has numbers of its own.

    Attributes:
        temperature: Of `softmax`.
        at_least: Of `threshold`: the quality from which on a document is drawn.
        steepness: Of `quadmix`: lambda, of the sigmoid over ranks.
        cut: Of `quadmix`: omega, the rank (0 is the best, 1 the worst) at which the sigmoid ends.
        power: Of `quadmix`: eta, the exponent of the sigmoid.
        floor: Of `quadmix`: epsilon, what every document weighs at least.
    """

    temperature: float = 1.0
    at_least: float = 0.5
    steepness: float = 100.0
    cut: float = 0.5
    power: float = 1.0
    floor: float = 0.001


Weigher = Callable[
    ["NDArray[np.float64]", "NDArray[np.int64]", Qualities, Within], "NDArray[np.float64]"
]
"""Called with the qualities of rows, the numbers of their groups, the figures of these groups and
the settings, it gives their weights. For those of RANKED a row's quality is its relative rank."""


def equal(
    quality: NDArray[np.float64],
    group: NDArray[np.int64],
    qualities: Qualities,
    within: Within,
) -> NDArray[np.float64]:
    """The same weight for every document."""
    import numpy as np

    return np.ones(len(quality))


def softmax(
    quality: NDArray[np.float64],
    group: NDArray[np.int64],
    qualities: Qualities,
    within: Within,
) -> NDArray[np.float64]:
    """exp(z / temperature), with quality z-scored in its group (QuRating, arXiv 2402.09739).

    A document without quality counts as average.
    """
    import numpy as np

    spread = np.where(qualities.spread > 0, qualities.spread, 1.0)
    is_spread = qualities.spread > 0
    highest = np.where(is_spread, (qualities.high - qualities.mean) / spread, 0.0)
    highest = np.maximum(highest, 0.0) / within.temperature
    z = (quality - qualities.mean[group]) / spread[group] / within.temperature
    z = np.where(is_spread[group] & ~np.isnan(quality), z, 0.0)
    # No weight may become 0: such a row is never drawn, not even in a whole pass.
    return np.asarray(np.exp(np.maximum(z - highest[group], -700.0)))


def threshold(
    quality: NDArray[np.float64],
    group: NDArray[np.int64],
    qualities: Qualities,
    within: Within,
) -> NDArray[np.float64]:
    """1 for a document whose quality is at least `at_least`, 0 for all others.

    A document without quality has 0: it is not known to be good enough.
    """
    import numpy as np

    return np.asarray(quality >= within.at_least, np.float64)


def quadmix(
    quality: NDArray[np.float64],
    group: NDArray[np.int64],
    qualities: Qualities,
    within: Within,
) -> NDArray[np.float64]:
    """The sigmoid of QuaDMix (arXiv 2504.16511) over relative ranks r, here in `quality`.

    (2 / (1 + exp(-lambda (omega - r)))) ** eta + epsilon up to omega, epsilon beyond.
    """
    import numpy as np

    depth = within.steepness * np.maximum(within.cut - quality, 0.0)
    inside = (2 / (1 + np.exp(-depth))) ** within.power
    return np.asarray(np.where(quality <= within.cut, inside, 0.0) + within.floor)


def relative_ranks(place: NDArray[np.int64], size: NDArray[np.int64]) -> NDArray[np.float64]:
    """Ranks between 0 (the best) and 1, from places (0 is the best) in groups of some sizes."""
    import numpy as np

    return np.asarray((place + 0.5) / size)


def merged(
    columns: NDArray[np.float64],
    means: NDArray[np.float64],
    spreads: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """One quality out of several: the weighted mean of their z-scores in the group of each row.

    `columns`, `means` and `spreads` are rows x columns; `weights` has one for each column. What a
    row does not have counts as average. NaN for a row that has none.
    """
    import numpy as np

    is_known = ~np.isnan(columns)
    spread = np.where(spreads > 0, spreads, 1.0)
    scores = np.where(is_known & (spreads > 0), (columns - means) / spread, 0.0)
    return np.where(is_known.any(axis=1), scores @ (weights / weights.sum()), np.nan)


WEIGHERS: dict[str, Weigher] = {
    "equal": equal,
    "softmax": softmax,
    "top_k": equal,
    "threshold": threshold,
    "quadmix": quadmix,
}
"""The weights within a group, by the name in the settings; `top_k` goes by rank, see below."""

NOISELESS = ("top_k",)
"""The strategies that take the best without noise; a row's weight is then 1 / its rank."""

RANKED = ("quadmix",)
"""The strategies whose weights follow the relative rank of the (merged) quality, not itself."""
