"""The spread of a quality over heads that were learned from resampled labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

QUANTILES = (0.05, 0.95)
"""Its ends."""


def spread(middle: Array, samples: Array) -> tuple[Array, Array]:
    """The quantiles QUANTILES of the heads' qualities, by document.

    `samples` are the qualities by each head, heads x documents; NaN where a head saw the label. A
    document that all have seen has no prediction by them: both ends are the quality itself. Both
    ends include the quality.
    """
    import numpy as np

    unknown = np.isnan(samples)
    if unknown.any():
        low, high = np.nanquantile(np.where(unknown.all(axis=0), middle, samples), QUANTILES, 0)
    else:
        low, high = np.quantile(samples, QUANTILES, axis=0)
    return np.fmin(low, middle), np.fmax(high, middle)
