"""The calibrators, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from curate.heads.calibration.temperature import Temperature

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


class Calibrator(Protocol):
    """A frozen dataclass of arrays; called with logits, it gives probabilities (rows x values)."""

    def __call__(self, logits: Array) -> Array:
        """The probabilities of logits, rows x values."""
        ...


METHODS: dict[str, type[Temperature]] = {"temperature": Temperature}


def fit(method: str, logits: Array, truth: Array, shares: Array) -> Calibrator:
    """Fit a calibrator on logits out of fold and posteriors, both rows x values.

    `shares` are the probabilities of a head that knows nothing, one for each value.
    """
    return METHODS[method].fit(logits, truth, shares)
