"""Models of losses over mixtures: from the shares of runs to the losses that they reached.

    linear      ridge on [x, √x, log(x + .001)], its strength chosen by leave-one-out
    log_linear  exp(c) + exp(x·t) by metric, Huber loss, Newton steps from several starts
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
"""Where Newton's method starts: the constant, as a part of the least loss."""

RANDOM_STARTS = 3
LARGEST = 50.0
"""No exponent is larger, so that no start overflows."""

MOST_STEPS = 200
LEVEL, WON = 1e-8, 1e-12
"""A slope that counts as level, and a step that wins nothing, in units of the variance."""

STUCK = 1e12
"""A damping at which no step moves the parameters any more."""

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

    if isinstance(start, LogLinear):
        starts = np.column_stack([start.constants, start.slopes])[:, None]
    else:
        starts = np.array([_starts(shares, loss) for loss in losses.T])
    values, ends = _descend(shares, losses, starts)
    laws = ends[np.arange(len(ends)), values.argmin(axis=1)]
    return LogLinear(laws[:, 0], laws[:, 1:])


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


def _descend(shares: Array, losses: Array, starts: Array) -> tuple[Array, Array]:
    """The Huber losses where Newton's method ends, and the parameters (c, t) there.

    Starts are (metrics, starts, 1 + groups), the ends as well, and the losses (metrics, starts).
    Steps are damped as Levenberg and Marquardt do, each start by itself, so no step is uphill. All
    starts move at once. A start has ended when a step wins nothing that matters beside the variance
    of the losses, up to 1.
    """
    import numpy as np

    metrics, count, size = starts.shape
    at = starts.reshape(-1, size).copy()
    targets = np.repeat(losses.T, count, axis=0)
    units = np.repeat([min(1.0, float(loss.var())) or 1.0 for loss in losses.T], count)
    values = np.empty(len(at))
    damping, moving = np.full(len(at), 1e-3), np.arange(len(at))
    values[:], slopes, curves = _huber(at, shares, targets)
    for _ in range(MOST_STEPS):
        moving = moving[
            (np.abs(slopes[moving]).max(axis=1) > LEVEL * units[moving]) & (damping[moving] < STUCK)
        ]
        if not len(moving):
            break
        curve = curves[moving]
        own = np.maximum(np.abs(np.diagonal(curve, axis1=1, axis2=2)), 1e-12)
        damped = curve + (damping[moving, None] * own)[:, :, None] * np.eye(size)
        tried = at[moving] - np.linalg.solve(damped, slopes[moving][:, :, None])[:, :, 0]
        value, slope, curve = _huber(tried, shares, targets[moving])
        better = value < values[moving]
        damping[moving] *= np.where(better, 0.3, 4.0)
        ended = better & (values[moving] - value <= WON * units[moving])
        into = moving[better]
        at[into], values[into] = tried[better], value[better]
        slopes[into], curves[into] = slope[better], curve[better]
        moving = moving[~ended]
    return values.reshape(metrics, count), at.reshape(starts.shape)


def _huber(parameters: Array, shares: Array, losses: Array) -> tuple[Array, Array, Array]:
    """The mean Huber loss of laws (n, 1 + groups), its gradients and its second derivatives.

    `losses` are (n, runs): those that each law has to meet.
    """
    import numpy as np

    count = losses.shape[1]
    constant = np.exp(np.minimum(parameters[:, 0], LARGEST))
    part = np.exp(np.minimum(parameters[:, 1:] @ shares.T, LARGEST))
    residual = constant[:, None] + part - losses
    size = np.abs(residual)
    is_square = size <= HUBER
    value = np.where(is_square, residual**2 / 2, HUBER * (size - HUBER / 2)).mean(axis=1)
    slope, bend = np.clip(residual, -HUBER, HUBER) / count, is_square / count
    first = slope.sum(axis=1) * constant
    gradient = np.column_stack([first, (slope * part) @ shares])
    curve = np.empty((*parameters.shape, parameters.shape[1]))
    curve[:, 0, 0] = bend.sum(axis=1) * constant**2 + first
    curve[:, 0, 1:] = curve[:, 1:, 0] = constant[:, None] * ((bend * part) @ shares)
    curve[:, 1:, 1:] = shares.T @ ((bend * part**2 + slope * part)[:, :, None] * shares)
    return value, gradient, curve


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
