"""A temperature and a shift of each value: bias-corrected temperature scaling.

The shifts also mend how often a value is foreseen (Alexandari et al. 2020, arXiv 1901.06852).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.heads.calibration.calibrator import OutOfFold
from curate.heads.calibration.temperature import HIGHEST, LOWEST, PSEUDO, Temperature, log_softmax

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FARTHEST = 10.0
"""The largest shift either way."""


@dataclass(frozen=True)
class Shifted:
    """probabilities = softmax(logits / temperature + shift), less the doubt of `Temperature`."""

    temperature: Array
    shift: Array
    doubt: Array

    def __call__(self, logits: Array) -> Array:
        """The probabilities of logits, rows x values."""
        import numpy as np

        sure = np.exp(log_softmax(logits / self.temperature + self.shift))
        return np.asarray((1 - self.doubt) * sure + self.doubt / sure.shape[-1])


def fit_shifted(rows: OutOfFold) -> Shifted:
    """Fit both, from the temperature alone on.

    Half the sum of the squared shifts is added to the summed loss, so that few labels shift little.
    A value that no row has is not shifted, and is not in the loss: its rows were left out.
    """
    import numpy as np
    from scipy.optimize import minimize

    shares = rows.shares(rows.truth)
    evidence, log_shares = rows.logits - np.log(shares), np.log(shares)
    known = rows.truth.sum(axis=0) >= PSEUDO
    truth = rows.truth[:, known] / rows.truth[:, known].sum(axis=1, keepdims=True)

    def loss(parameters: Array) -> tuple[float, Array]:
        return _penalised(parameters, evidence[:, known], log_shares[known], truth)

    first = Temperature.fit(rows.logits, rows.truth, shares)
    begin = np.append(1 / first.temperature, np.zeros(truth.shape[1]))
    bounds = [(np.exp(-HIGHEST), np.exp(-LOWEST)), *[(-FARTHEST, FARTHEST)] * truth.shape[1]]
    inverse, *shifts = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=bounds).x
    shift = np.asarray(log_shares * (1 - inverse))
    shift[known] += shifts
    return Shifted(np.asarray(1 / inverse), shift, first.doubt)


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
