"""Groups whose probabilities cannot be trusted: there the head abstains.

The null distribution of a group's ECE comes from labels redrawn from its own probabilities, so few
labels alone are no reason to abstain (the consistency resampling of Bröcker and Smith 2007).

A rating's most probable level is seldom sure, and several people's ratings of a text differ. So of
ratings it is tested whether they lie in the upper half of the scale, as it is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

from curate.calibration_error import DRAWS, CalibrationError, calibration_error

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LABELS = 50
LEVEL = 0.01


@dataclass(frozen=True)
class Trust:
    """How far the probabilities of a group can be trusted."""

    group: str
    calibration: CalibrationError

    @property
    def abstains(self) -> bool:
        """Whether it has 50 labels, and chance explains its ECE with less than 1 %."""
        return self.calibration.labels >= LABELS and self.calibration.p_value <= LEVEL


def trusted(
    truth: Array,
    predicted: Array,
    groups: NDArray[np.str_],
    *,
    ordered: bool = False,
    seed: int = 0,
    draws: int = DRAWS,
) -> tuple[Trust, ...]:
    """Test the probabilities of each group, in the order of their names.

    `truth` and `predicted`, both rows x values, are posteriors and predictions out of fold. Rows
    that people left undecided are to be left out. `ordered` says that the values are levels.
    """
    import numpy as np

    if ordered:
        cut = upper_half(truth)
        truth, predicted = halves(truth, cut), halves(predicted, cut)
    trusts = []
    for name in np.unique(groups).tolist():
        inside = groups == name
        own_seed = (seed, crc32(name.encode()))  # groups are independent of one another
        error = calibration_error(truth[inside], predicted[inside], seed=own_seed, draws=draws)
        trusts.append(Trust(name, error))
    return tuple(trusts)


def upper_half(truth: Array) -> int:
    """The place of the level from which on, all rows together, the posterior is nearest to half."""
    import numpy as np

    above = np.cumsum(truth.mean(axis=0)[::-1])[::-1]
    return int(np.abs(above[1:] - 0.5).argmin()) + 1


def halves(probabilities: Array, cut: int) -> Array:
    """The probabilities of levels below and from a place on: rows x 2."""
    import numpy as np

    above = probabilities[:, cut:].sum(axis=1)
    return np.stack([1 - above, above], axis=1)


def abstaining(
    truth: Array,
    predicted: Array,
    groups: NDArray[np.str_],
    *,
    ordered: bool = False,
    seed: int = 0,
) -> frozenset[str]:
    """The groups that abstain (see `trusted`)."""
    trusts = trusted(truth, predicted, groups, ordered=ordered, seed=seed)
    return frozenset(trust.group for trust in trusts if trust.abstains)
