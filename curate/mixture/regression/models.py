"""Models of losses over mixtures: from the shares of runs to the losses that they reached.

    linear      ridge on [x, √x, log(x + .001)], its strength chosen by leave-one-out
    log_linear  exp(c) + exp(x·t) by metric, Huber loss, L-BFGS from several starts
                (Ye et al. 2024, https://arxiv.org/abs/2403.16952; olmix, `fit/law.py`)
    boosting    LightGBM with RegMix's settings: rate .01, 1,000 trees, no early stop
                (Liu et al. 2024, https://arxiv.org/abs/2407.01492)

`stacking` joins the three. Shares are (runs, groups), losses (runs, metrics); lower is better.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FLOOR = 1e-3
"""Added to a share before its logarithm: runs leave groups out."""

HUBER = 0.02
"""The residual, in the unit of the losses, from which the Huber loss is linear."""

FLOORS = (0.05, 0.35, 0.65, 0.85, 0.97)
"""Where L-BFGS starts: the constant, as a part of the least loss."""

RANDOM_STARTS = 3
LARGEST = 50.0
"""No exponent is larger, so that no start overflows."""

TREES: dict[str, Any] = {
    "n_estimators": 1000,
    "learning_rate": 0.01,
    "random_state": 42,
    "n_jobs": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}

Predict = Callable[["Array"], "Array"]
"""The losses (n, metrics) that mixtures (n, groups) are predicted to reach."""


def fit_linear(shares: Array, losses: Array, start: Predict | None = None) -> Predict:
    """Ridge regression on shares, their roots and their logarithms. `start` is not used."""
    import numpy as np
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    ridge = RidgeCV(alphas=np.logspace(-4, 4, 25), alpha_per_target=True)
    model = make_pipeline(StandardScaler(), ridge).fit(_features(shares), losses)

    def predict(mixtures: Array) -> Array:
        return np.asarray(model.predict(_features(mixtures))).reshape(len(mixtures), -1)

    return predict


def _features(shares: Array) -> Array:
    import numpy as np

    return np.hstack([shares, np.sqrt(shares), np.log(shares + FLOOR)])


@dataclass(frozen=True)
class LogLinear:
    """The law exp(c) + exp(x·t) of each metric.

    Attributes:
        constants: c, by metric.
        slopes: t, of the shape (metrics, groups). Shares sum to 1, so t holds the intercept too.
    """

    constants: Array
    slopes: Array

    def __call__(self, mixtures: Array) -> Array:
        """The losses (n, metrics) of mixtures (n, groups)."""
        import numpy as np

        exponents = np.minimum(mixtures @ self.slopes.T, LARGEST)
        return np.asarray(np.exp(self.constants) + np.exp(exponents))


def fit_log_linear(shares: Array, losses: Array, start: Predict | None = None) -> LogLinear:
    """The law of each metric, the best of several starts; from `start` alone if it is a law."""
    import numpy as np

    laws = []
    for metric, loss in enumerate(losses.T):
        if isinstance(start, LogLinear):
            starts = [np.append(start.constants[metric], start.slopes[metric])]
        else:
            starts = _starts(shares, loss)
        laws.append(min((_descend(shares, loss, at) for at in starts), key=lambda end: end[0])[1])
    found = np.array(laws)
    return LogLinear(found[:, 0], found[:, 1:])


def _starts(shares: Array, loss: Array) -> list[Array]:
    """Constants over a grid with the slopes that least squares of logarithms gives, and noise."""
    import numpy as np

    rng = np.random.default_rng(0)
    gram = shares.T @ shares + 1e-4 * np.eye(shares.shape[1])
    least = max(float(loss.min()), 1e-3)
    starts = []
    for part in FLOORS:
        rest = np.log(np.maximum(loss - part * least, 1e-3))
        starts.append(np.append(np.log(part * least), np.linalg.solve(gram, shares.T @ rest)))
    noise = rng.normal(0, 0.3, (RANDOM_STARTS, len(starts[0])))
    return [*starts, *(starts[1] + noise)]


def _descend(shares: Array, loss: Array, start: Array) -> tuple[float, Array]:
    """The Huber loss where L-BFGS ends, and the parameters (c, t) there.

    What is minimised is in units of the variance of the loss, up to 1: L-BFGS stops by absolute
    steps, so that it would not even begin where losses differ by a few hundredths.
    """
    from scipy.optimize import minimize

    unit = min(1.0, float(loss.var())) or 1.0

    def scaled(parameters: Array) -> tuple[float, Array]:
        value, gradient = _huber(parameters, shares, loss)
        return value / unit, gradient / unit

    end = minimize(
        scaled, start, method="L-BFGS-B", jac=True, options={"maxiter": 500, "ftol": 1e-11}
    )
    return float(end.fun) * unit, end.x


def _huber(parameters: Array, shares: Array, loss: Array) -> tuple[float, Array]:
    """The mean Huber loss of the law, and its gradient."""
    import numpy as np

    constant = np.exp(min(parameters[0], LARGEST))
    part = np.exp(np.minimum(shares @ parameters[1:], LARGEST))
    residual = constant + part - loss
    size = np.abs(residual)
    value = np.where(size <= HUBER, residual**2 / 2, HUBER * (size - HUBER / 2)).mean()
    slope = np.clip(residual, -HUBER, HUBER) / len(loss)
    return float(value), np.append(slope.sum() * constant, shares.T @ (slope * part))


def fit_boosting(shares: Array, losses: Array, start: Predict | None = None) -> Predict:
    """Gradient-boosted trees, one model a metric. `start` is not used."""
    import numpy as np
    from lightgbm import LGBMRegressor

    leaf = min(20, max(2, len(shares) // 16))
    models = [LGBMRegressor(**TREES, min_child_samples=leaf).fit(shares, y) for y in losses.T]

    def predict(mixtures: Array) -> Array:
        return np.column_stack([model.predict(mixtures) for model in models])

    return predict


FITS: dict[str, Callable[..., Predict]] = {
    "linear": fit_linear,
    "log_linear": fit_log_linear,
    "boosting": fit_boosting,
}
"""How each model is fitted; `stacking` has one more, of all three."""
