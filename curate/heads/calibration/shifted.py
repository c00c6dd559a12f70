"""A temperature and a shift of each value: bias-corrected temperature scaling.

The shifts also mend how often a value is foreseen (Alexandari et al. 2020, arXiv 1901.06852).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.heads.calibration.calibrator import OutOfFold, floor_of, normalised
from curate.heads.calibration.temperature import HIGHEST, LOWEST, Temperature, log_softmax

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FARTHEST = 10.0
"""The largest shift either way."""


@dataclass(frozen=True)
class Shifted:
    """probabilities = softmax(logits / temperature + shift).

    A value that no label has keeps the probability of its `floor`; it is 0 for all others.
    """

    temperature: Array
    shift: Array
    floor: Array

    def __call__(self, logits: Array) -> Array:
        """The probabilities of logits, rows x values."""
        import numpy as np

        shares = np.exp(log_softmax(logits / self.temperature + self.shift))
        return normalised(shares, self.floor)


def fit_shifted(rows: OutOfFold) -> Shifted:
    """Fit both, from the temperature alone on.

    Half the sum of the squared shifts is added to the summed loss, so that few labels shift little.
    """
    import numpy as np
    from scipy.optimize import minimize

    shares = rows.shares(rows.truth)
    evidence, log_shares = rows.logits - np.log(shares), np.log(shares)

    def loss(parameters: Array) -> tuple[float, Array]:
        return _penalised(parameters, evidence, log_shares, rows.truth)

    first = 1 / Temperature.fit(rows.logits, rows.truth, shares).temperature
    begin = np.append(first, np.zeros(len(shares)))
    bounds = [(np.exp(-HIGHEST), np.exp(-LOWEST)), *[(-FARTHEST, FARTHEST)] * len(shares)]
    inverse, *shifts = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=bounds).x
    shift = np.asarray(log_shares * (1 - inverse) + shifts)
    return Shifted(np.asarray(1 / inverse), shift, floor_of(rows.truth))


def _penalised(
    parameters: Array, evidence: Array, log_shares: Array, truth: Array
) -> tuple[float, Array]:
    """The mean loss of an inverse temperature and shifts, and its gradient."""
    import numpy as np

    inverse, shift = parameters[0], parameters[1:]
    logs = log_softmax(evidence * inverse + log_shares + shift)
    errors = (np.exp(logs) - truth) / len(truth)
    penalty = shift / len(truth)
    value = float(-(truth * logs).sum()) / len(truth) + float(shift @ penalty) / 2
    return value, np.append((errors * evidence).sum(), errors.sum(axis=0) + penalty)
