"""What every learner can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from curate.heads.learners.linear import Linear, Taught

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


class Learner(Protocol):
    """Fits a linear head, and says what its outputs mean."""

    @property
    def name(self) -> str:
        """The name by which it is chosen, told and stored."""
        ...

    def fit(
        self, taught: Taught, inverse_strength: float, start: Linear | None, tolerance: float
    ) -> Linear:
        """Fit a head; `start` is a head for nearly the same (see TOLERANCE in `linear`)."""
        ...

    def logits(self, outputs: Array) -> Array:
        """The logit of each value, from the outputs: ... x outputs → ... x values."""
        ...

    def losses(self, logits: Array, truth: Array) -> Array:
        """The loss of each row by which heads are chosen; logits and posteriors, rows x values."""
        ...

    def shares(self, truth: Array) -> Array:
        """The probabilities of a head that knows nothing, from posteriors: one for each value."""
        ...
