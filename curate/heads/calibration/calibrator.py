"""What a calibrator is, and what it is fitted on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


class Calibrator(Protocol):
    """A frozen dataclass of arrays; called with logits, it gives probabilities (rows x values)."""

    def __call__(self, logits: Array) -> Array:
        """The probabilities of logits, rows x values; rows sum to 1."""
        ...


@dataclass(frozen=True)
class OutOfFold:
    """What heads foretell of labelled rows that they did not see.

    Logits and posteriors are rows x values; `folds` and `groups` have one entry for each row.
    `shares` gives, of posteriors, the probabilities of a head that knows nothing.
    """

    logits: Array
    truth: Array
    folds: NDArray[np.int64]
    groups: NDArray[np.str_]
    shares: Callable[[Array], Array]

    def take(self, rows: NDArray[np.bool_]) -> OutOfFold:
        """Some of the rows."""
        own = (self.logits[rows], self.truth[rows], self.folds[rows], self.groups[rows])
        return OutOfFold(*own, self.shares)


def floor_of(truth: Array) -> Array:
    """The probability of each value that no label has, and 0 for all others.

    It is 1 / (labels + values), Laplace's rule of succession: a value that was never seen may be
    rare, but is not impossible.
    """
    import numpy as np

    return np.where(truth.sum(axis=0) > 0, 0.0, 1 / (len(truth) + truth.shape[1]))


def normalised(shares: Array, floor: Array) -> Array:
    """Shares of each row as probabilities; values with a floor have just that."""
    import numpy as np

    own = np.where(floor > 0, 0.0, shares)
    return np.asarray(own / own.sum(axis=1, keepdims=True) * (1 - floor.sum()) + floor)
