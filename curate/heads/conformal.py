"""How far people's answer may be from a document's score: split-conformal intervals.

The half-width is a quantile of out-of-fold residuals (Lei et al. 2018, arXiv 1604.04173), weighted
by 1 / propensity, since labelled documents may have been drawn unequally (Tibshirani et al. 2019,
arXiv 1904.06019). A new document has a weight too. Its mean over the corpus is that of one of
Kish's effective number of labels, which makes (n + 1) of n.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEVEL = 0.9


def half_width(residuals: Array, propensities: Array, level: float = LEVEL) -> float | None:
    """The half-width of intervals that hold the answer about a share `level` of documents.

    `residuals` are answers less out-of-fold predictions. None if the labels are too few: at 90 %
    these are fewer than nine of equal propensity.
    """
    import numpy as np

    if not len(residuals):
        return None
    weights = 1 / propensities
    effective = weights.sum() ** 2 / (weights**2).sum()
    wanted = level * (effective + 1) / effective
    order = np.argsort(np.abs(residuals), kind="stable")
    shares = np.cumsum(weights[order]) / weights.sum()
    place = int(np.searchsorted(shares, wanted - 1e-12))
    return float(np.abs(residuals)[order[place]]) if place < len(order) else None


def interval(quality: Array, half: float | None) -> tuple[Array, Array]:
    """The ends `low` and `high` for qualities between 0 and 1; nan where nothing is known."""
    import numpy as np

    if half is None:
        return np.full_like(quality, np.nan), np.full_like(quality, np.nan)
    return np.clip(quality - half, 0.0, 1.0), np.clip(quality + half, 0.0, 1.0)
