"""Weights: which documents of a group are preferred.

A weigher gives every row of a batch a weight, 0 or more, from its quality and the facts of its
group. It knows no budget and no chance.
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


Weigher = Callable[
    ["NDArray[np.float64]", "NDArray[np.int64]", Qualities, float], "NDArray[np.float64]"
]
"""Called with the qualities of rows, the numbers of their groups, the figures of these groups and a
temperature, it gives their weights."""


def equal(
    quality: NDArray[np.float64],
    group: NDArray[np.int64],
    qualities: Qualities,
    temperature: float,
) -> NDArray[np.float64]:
    """The same weight for every document."""
    import numpy as np

    return np.ones(len(quality))


def softmax(
    quality: NDArray[np.float64],
    group: NDArray[np.int64],
    qualities: Qualities,
    temperature: float,
) -> NDArray[np.float64]:
    """exp(z / temperature), with quality z-scored in its group (QuRating, arXiv 2402.09739).

    A document without quality counts as average.
    """
    import numpy as np

    spread = np.where(qualities.spread > 0, qualities.spread, 1.0)
    is_spread = qualities.spread > 0
    highest = np.where(is_spread, (qualities.high - qualities.mean) / spread / temperature, 0.0)
    z = (quality - qualities.mean[group]) / spread[group] / temperature
    z = np.where(is_spread[group] & ~np.isnan(quality), z, 0.0)
    # No weight may become 0: such a row is never drawn, not even in a whole pass.
    return np.asarray(np.exp(np.maximum(z - np.maximum(highest, 0.0)[group], -700.0)))


WEIGHERS: dict[str, Weigher] = {"equal": equal, "softmax": softmax, "top_k": equal}
"""The weights within a group, by the name in the settings; `top_k` goes by rank, see below."""

NOISELESS = ("top_k",)
"""The strategies that take the best without noise; a row's weight is then 1 / its rank."""
