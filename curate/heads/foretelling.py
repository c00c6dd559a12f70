"""Candidates, and what they foretell of labelled rows out of fold, at every strength."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.heads import fitting
from curate.heads.features import Space
from curate.heads.learners import TOLERANCE, Learner, Taught

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

INVERSE_STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""Inverse strengths to try: the mean squared norm of the features is 1."""

PRESENT = 0.5
"""A value is known to a head if its posteriors among the learned rows add up to this."""


@dataclass(frozen=True)
class Material:
    """A candidate: features and learner, with the labels of all rows."""

    space: Space
    learner: Learner
    taught: Taught
    centred: bool

    def fit(
        self,
        rows: NDArray[np.int64],
        inverse_strength: float,
        weights: Array | None = None,
        start: fitting.Head | None = None,
        tolerance: float = TOLERANCE,
    ) -> fitting.Head:
        """Learn from some rows, of equal weights unless they are given."""
        import numpy as np

        all_rows = self.taught
        taught = Taught(
            all_rows.features[rows],
            all_rows.truth[rows],
            np.ones(len(rows)) if weights is None else weights,
            all_rows.groups[rows],
            all_rows.offset[rows],
        )
        return fitting.fit(
            self.learner,
            taught,
            inverse_strength,
            centred=self.centred,
            start=start,
            tolerance=tolerance,
        )

    def mean_head(
        self, rows: NDArray[np.int64], folds: NDArray[np.int64], inverse_strength: float
    ) -> fitting.Head:
        """The mean of heads that each leave out a fold; `folds` has one for each of the rows.

        It foretells new texts as these foretell what they left out, so their calibration holds.
        """
        heads = [self.fit(rows[folds != fold], inverse_strength) for fold in sorted(set(folds))]
        return fitting.mean(heads)


@dataclass(frozen=True)
class Foretold:
    """Logits out of fold of a candidate, for every strength: strengths x rows x values.

    `within` are those by which it is chosen: with the biases of groups if heads are centred.
    """

    logits: Array
    within: Array


def foretell(material: Material, rows: NDArray[np.int64], folds: NDArray[np.int64]) -> Foretold:
    """Foretell each row by heads that did not learn from its fold; `folds` has one for each row."""
    import numpy as np

    size = material.taught.truth.shape[1]
    logits = np.empty((len(INVERSE_STRENGTHS), len(rows), size))
    within = np.empty_like(logits) if material.centred else logits
    for fold in np.unique(folds):
        inside = folds == fold
        features = material.taught.features[rows[inside]]
        groups = material.taught.groups[rows[inside]]
        head = None
        for place, strength in enumerate(INVERSE_STRENGTHS):
            head = material.fit(rows[~inside], strength, start=head)
            logits[place, inside] = material.learner.logits(head.outputs(features))
            if material.centred:
                outputs = head.outputs_within(features, groups)
                within[place, inside] = material.learner.logits(outputs)
    return Foretold(logits, within)


def knows(truth: Array, folds: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the head of a row's fold had labels of the row's value.

    Rows of values that it had not say nothing about the strength or the temperature.
    """
    import numpy as np

    known = np.empty(len(truth), bool)
    for fold in np.unique(folds):
        inside = folds == fold
        present = truth[~inside].sum(axis=0) >= PRESENT
        known[inside] = truth[inside] @ present > PRESENT
    return known
