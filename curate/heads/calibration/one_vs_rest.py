"""What the maps of single values have in common: each value against the rest, then normalised.

The score of a value is its log-odds under the head; a map turns it into a probability. The
probabilities of all values are divided by their sum (Zadrozny and Elkan 2002). A soft label counts
for a value by its share, and against it by the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FARTHEST = 30.0
"""The largest log-odds: beyond it, all scores are the same."""


def log_odds(logits: Array) -> Array:
    """The log-odds of each value against all others, at most 30 either way: rows x values."""
    import numpy as np

    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    rest = powers.sum(axis=1, keepdims=True) - powers
    least = np.exp(-2 * FARTHEST)
    odds = np.log(np.maximum(powers, least)) - np.log(np.maximum(rest, least))
    return np.asarray(np.clip(odds, -FARTHEST, FARTHEST))


def pooled(scores: Array, labels: Array) -> tuple[Array, Array, Array]:
    """The distinct scores, ascending, with the mean label and the number of rows of each."""
    import numpy as np

    distinct, place = np.unique(scores, return_inverse=True)
    numbers = np.bincount(place).astype(np.float64)
    return distinct, np.bincount(place, labels) / numbers, numbers


def stacked(rows: Sequence[Array], beyond: float | None = None) -> Array:
    """Rows of several lengths as one array, filled with `beyond` (None: the last of each)."""
    import numpy as np

    width = max(len(row) for row in rows)
    ends = [row[-1] if beyond is None else beyond for row in rows]
    filled = [
        np.append(row, np.full(width - len(row), end)) for row, end in zip(rows, ends, strict=True)
    ]
    return np.stack(filled)
