"""Folds and bootstrap resamples that follow the ids of rows, never their order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from curate import chance

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def stratified(
    ids: Sequence[str], truth: Array, number: int, seed: int, purpose: str = "fold"
) -> NDArray[np.int64]:
    """The fold of each row, 0 to `number` - 1, of about equal size in every class.

    The class of a row is its most probable value. The rows of a class are dealt out in the order of
    their hashes, each class where the last one ended.
    """
    import numpy as np

    order = np.lexsort((chance.uniform(ids, seed, purpose), truth.argmax(axis=1)))
    folds = np.empty(len(ids), np.int64)
    folds[order] = np.arange(len(ids)) % number
    return folds


def resamples(rows: int, number: int, seed: int) -> NDArray[np.int64]:
    """How often each bootstrap resample holds each row: resamples x rows."""
    import numpy as np

    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, rows, (number, rows))
    counts = [np.bincount(own, minlength=rows) for own in drawn]
    return np.array(counts, np.int64).reshape(number, rows)
