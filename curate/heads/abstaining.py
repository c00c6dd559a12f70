"""Groups whose probabilities cannot be trusted: there the head abstains.

Two tests share the level of 1 %: the group's ECE, and its slope of labels on predictions. The ECE
sees probabilities that are wrong at some height. The slope sees labels that do not follow them at
all, also where no value is likely and bins of ten labels say nothing.

The null distribution of both comes from labels redrawn from the group's own probabilities, so few
labels alone are no reason to abstain (the consistency resampling of Bröcker and Smith 2007).

A rating's most probable level is seldom sure, and several people's ratings of a text differ. So the
ECE of ratings is that of lying in the upper half of the scale, as it is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

from curate.calibration_error import DRAWS, CalibrationError, calibration_error
from curate.heads.slope import CalibrationSlope, calibration_slope

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
    slope: CalibrationSlope

    @property
    def p_value(self) -> float:
        """How likely chance makes either the ECE so large or the slope so small."""
        return min(1.0, 2 * min(self.calibration.p_value, self.slope.p_value))

    @property
    def abstains(self) -> bool:
        """Whether it has 50 labels, and chance explains them with 1 % at most."""
        return self.calibration.labels >= LABELS and self.p_value <= LEVEL


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

    whole = truth, predicted
    if ordered:
        cut = upper_half(truth)
        truth, predicted = halves(truth, cut), halves(predicted, cut)
    names, group_of = np.unique(groups, return_inverse=True)
    order, ends = np.argsort(group_of, kind="stable"), np.cumsum(np.bincount(group_of)).tolist()
    trusts = []
    for name, first, end in zip(names.tolist(), [0, *ends], ends, strict=False):
        inside = order[first:end]
        own_seed = (seed, crc32(name.encode()))  # groups are independent of one another
        error = calibration_error(truth[inside], predicted[inside], seed=own_seed, draws=draws)
        rows = (own[inside] for own in whole)
        slope = calibration_slope(*rows, ordered=ordered, seed=own_seed, draws=draws)
        trusts.append(Trust(name, error, slope))
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
