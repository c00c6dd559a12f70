"""Texts whose answer is least known: the entropy of the probabilities (Shannon 1948)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curate.sample.strategies.strategy import Chosen, first, itself

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def entropy(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """The entropy in nats; `probabilities` are documents x values."""
    import numpy as np

    logs = np.log(np.where(probabilities > 0, probabilities, 1))
    return np.asarray(-(probabilities * logs).sum(axis=1))


STRATEGY = Chosen("uncertainty", itself, first, entropy)
