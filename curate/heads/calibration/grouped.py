"""Calibration by group: a group has its own map where its labels show that it needs one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.heads.calibration.calibrator import Calibrator, OutOfFold
from curate.heads.calibration.choosing import Calibration, cross_fitted, fit, is_lower, losses_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Groups = NDArray[np.str_]

ENOUGH = 50
"""A group with fewer labels uses the map of all groups."""


@dataclass(frozen=True)
class Grouped:
    """A map for all rows, and the own maps of some groups, by name."""

    everywhere: Calibrator
    own: Mapping[str, Calibrator]

    def __call__(self, logits: Array, groups: Groups | None = None) -> Array:
        """The probabilities of logits, rows x ... x values; `groups` names the group of each row.

        Without groups, and for a group that has no map of its own, it is the map of all rows.
        """
        import numpy as np

        probabilities = _apply(self.everywhere, logits)
        for name, calibrator in self.own.items() if groups is not None else ():
            rows = np.flatnonzero(np.asarray(groups) == name)
            if len(rows):
                probabilities[rows] = _apply(calibrator, logits[rows])
        return probabilities


def _apply(calibrator: Calibrator, logits: Array) -> Array:
    return calibrator(logits.reshape(-1, logits.shape[-1])).reshape(logits.shape)


def fit_grouped(
    method: Calibration, rows: OutOfFold, kind: str = "choice", *, by_group: bool = True
) -> Grouped:
    """Fit the map of all rows and, `by_group`, the own map of each group that gains by one.

    A group gains if it has 50 labels, and if its own map lowers its cross-fitted cross-entropy by
    more than the standard error of the difference.
    """
    everywhere = fit(method, rows, kind)
    large = _large(rows.groups) if by_group else []
    if not large:
        return Grouped(everywhere, {})
    shared = losses_of(rows.truth, cross_fitted(method, rows, kind))
    own = {}
    for name in large:
        inside = rows.groups == name
        part = rows.take(inside)
        losses = losses_of(part.truth, cross_fitted(method, part, kind))
        if is_lower(losses, shared[inside]):
            own[name] = fit(method, part, kind)
    return Grouped(everywhere, own)


def _large(groups: Groups) -> list[str]:
    """The groups with enough labels for a map of their own; none if there is only one group."""
    import numpy as np

    names, numbers = np.unique(groups, return_counts=True)
    return [str(name) for name in names[numbers >= ENOUGH]] if len(names) > 1 else []


def cross_fitted_grouped(method: Calibration, rows: OutOfFold, kind: str = "choice") -> Array:
    """The probabilities of rows, each fold by maps fitted on the others: rows x values."""
    import numpy as np

    probabilities = np.empty_like(rows.truth)
    for fold in np.unique(rows.folds):
        inside = rows.folds == fold
        calibrator = fit_grouped(method, rows.take(~inside), kind)
        probabilities[inside] = calibrator(rows.logits[inside], rows.groups[inside])
    return probabilities
