"""Which documents of a group are preferred: a non-negative weight for each row.

A weigher knows nothing of budgets, groups or randomness.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

Weigher = Callable[["pd.DataFrame", Any], "NDArray[np.float64]"]


def equal(items: pd.DataFrame, spec: Any) -> NDArray[np.float64]:
    """Every document the same weight."""
    import numpy as np

    return np.ones(len(items))


def softmax(items: pd.DataFrame, spec: Any) -> NDArray[np.float64]:
    """exp(z / temperature), with quality z-scored over the rows (QuRating, arXiv 2402.09739).

    A document without quality counts as average.
    """
    import numpy as np

    z = _z_scored(items["quality"].to_numpy(np.float64)) / spec.temperature
    # A weight must not vanish: what has none is never drawn, not even in a whole pass.
    return np.asarray(np.exp(np.maximum(z - z.max(initial=0.0), -700.0)))


def top_k(items: pd.DataFrame, spec: Any) -> NDArray[np.float64]:
    """Weights in the order of quality, best first: drawn without noise, the best are taken."""
    import numpy as np

    quality = np.nan_to_num(items["quality"].to_numpy(np.float64), nan=-np.inf)
    order = np.lexsort((items["id"].to_numpy(), -quality))
    weights = np.empty(len(items))
    weights[order] = 1 / np.arange(1, len(items) + 1)
    return weights


WEIGHERS: dict[str, Weigher] = {"equal": equal, "softmax": softmax, "top_k": top_k}

NOISELESS = ("top_k",)
"""Strategies that are drawn in the order of their weights."""


def _z_scored(quality: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    known = quality[~np.isnan(quality)]
    spread = known.std() if len(known) else 0.0
    if spread == 0:
        return np.zeros(len(quality))
    return np.asarray(np.nan_to_num((quality - known.mean()) / spread, nan=0.0))
