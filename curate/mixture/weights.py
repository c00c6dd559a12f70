"""Weights: which documents of a group are preferred.

A weigher gives every row of one group a weight, 0 or more. It knows no budget and no chance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

Weigher = Callable[["pd.DataFrame", float], "NDArray[np.float64]"]
"""Called with the rows of one group (id, quality) and a temperature, it gives their weights."""


def equal(items: pd.DataFrame, temperature: float) -> NDArray[np.float64]:
    """The same weight for every document."""
    import numpy as np

    return np.ones(len(items))


def softmax(items: pd.DataFrame, temperature: float) -> NDArray[np.float64]:
    """exp(z / temperature), with quality z-scored over the rows (QuRating, arXiv 2402.09739).

    A document without quality counts as average.
    """
    import numpy as np

    z = _z_scored(items["quality"].to_numpy(np.float64)) / temperature
    # No weight may become 0: such a row is never drawn, not even in a whole pass.
    return np.asarray(np.exp(np.maximum(z - z.max(initial=0.0), -700.0)))


def top_k(items: pd.DataFrame, temperature: float) -> NDArray[np.float64]:
    """Weights 1, 1/2, 1/3, … from the best quality down; a draw without noise takes the best."""
    import numpy as np

    quality = np.nan_to_num(items["quality"].to_numpy(np.float64), nan=-np.inf)
    order = np.lexsort((items["id"].to_numpy(), -quality))
    weights = np.empty(len(items))
    weights[order] = 1 / np.arange(1, len(items) + 1)
    return weights


WEIGHERS: dict[str, Weigher] = {"equal": equal, "softmax": softmax, "top_k": top_k}

NOISELESS = ("top_k",)
"""The strategies that are drawn without noise, in the order of their weights."""


def weigh_groups(items: pd.DataFrame, strategy: str, temperature: float) -> NDArray[np.float64]:
    """The weight of each row of `items` (id, group, quality), each group weighed on its own."""
    import numpy as np

    weights = np.zeros(len(items))
    for rows in items.groupby("group", sort=True).indices.values():
        weights[rows] = WEIGHERS[strategy](items.iloc[rows], temperature)
    return weights


def _z_scored(quality: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    known_quality = quality[~np.isnan(quality)]
    spread = known_quality.std() if len(known_quality) else 0.0
    if spread == 0:
        return np.zeros(len(quality))
    return np.asarray(np.nan_to_num((quality - known_quality.mean()) / spread, nan=0.0))
