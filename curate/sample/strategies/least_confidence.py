"""Texts whose likeliest answer is least likely (Lewis and Gale 1994)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curate.sample.strategies.strategy import Chosen, first, itself

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def least_confidence(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 - the largest probability; `probabilities` are documents x values."""
    import numpy as np

    return np.asarray(1 - probabilities.max(axis=1))


STRATEGY = Chosen("uncertainty", itself, first, least_confidence)
