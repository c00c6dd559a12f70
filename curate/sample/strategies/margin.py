"""Texts whose two likeliest answers are nearly as likely (Scheffer et al. 2001)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curate.sample.strategies.strategy import Chosen, first, itself

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def margin(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 - the difference of the two largest probabilities; documents x values."""
    import numpy as np

    ordered = np.sort(probabilities, axis=1)
    return np.asarray(1 - (ordered[:, -1] - ordered[:, -2]))


STRATEGY = Chosen("uncertainty", itself, first, margin)
