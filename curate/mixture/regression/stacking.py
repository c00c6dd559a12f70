"""The stacked model, and predictions of every model out of fold.

The stacked model is a weighted mean of the others, by metric. Its weights are at least 0, sum to 1,
and are fitted to predictions out of fold. Its own prediction of a fold must not know that fold, so
its weights are fitted to models that saw neither that fold nor the one they predict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from curate.mixture.regression.baselines import nearest_run
from curate.mixture.regression.models import FITS, Predict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

STACKED = "stacked"
NEAREST = "nearest run"
FOLDS = 5


@dataclass(frozen=True)
class Stacked:
    """A weighted mean of models; `weights` is (models, metrics)."""

    models: tuple[Predict, ...]
    weights: Array

    def __call__(self, mixtures: Array) -> Array:
        """The losses (n, metrics) of mixtures (n, groups)."""
        import numpy as np

        predicted = np.stack([model(mixtures) for model in self.models])
        return np.asarray((predicted * self.weights[:, None, :]).sum(axis=0))


def fold_numbers(runs: int, seed: int = 0) -> NDArray[np.int64]:
    """The fold of each run, by chance, folds as even as can be."""
    import numpy as np

    return np.random.default_rng(seed).permutation(np.arange(runs) % FOLDS)


def stacking_weights(predicted: Array, losses: Array) -> Array:
    """Weights (models, metrics) ≥ 0 with sum 1: least squares of predictions (models, n, metrics).

    Where no model predicts anything, all weigh the same.
    """
    import numpy as np
    from scipy.optimize import nnls

    count = len(predicted)
    weights = np.empty((count, losses.shape[1]))
    for metric, loss in enumerate(losses.T):
        centre = loss.mean()
        weight = nnls((predicted[:, :, metric] - centre).T, loss - centre)[0]
        weights[:, metric] = weight / weight.sum() if weight.sum() > 0 else 1 / count
    return weights


def fit_models(shares: Array, losses: Array, seed: int = 0) -> dict[str, Predict]:
    """Every model, fitted to all runs; the weights of the stacked one are fitted out of fold."""
    import numpy as np

    folds = fold_numbers(len(shares), seed)
    predicted = np.empty((len(FITS), *losses.shape))
    for fold in range(FOLDS):
        own = folds == fold
        predicted[:, own] = _predictions(shares[~own], losses[~own], shares[own])
    models = {name: fit(shares, losses) for name, fit in FITS.items()}
    stacked = Stacked(tuple(models.values()), stacking_weights(predicted, losses))
    return {**models, STACKED: stacked}


def out_of_fold(shares: Array, losses: Array, seed: int = 0) -> Mapping[str, Array]:
    """What each model, and the nearest run, predicts of runs that it did not see (n, metrics)."""
    import numpy as np

    folds = fold_numbers(len(shares), seed)
    alone, nearest = np.empty((len(FITS), *losses.shape)), np.empty_like(losses)
    for fold in range(FOLDS):
        own = folds == fold
        alone[:, own] = _predictions(shares[~own], losses[~own], shares[own])
        nearest[own] = nearest_run(shares[own], shares[~own], losses[~own])
    found = dict(zip(FITS, alone, strict=True))
    return {**found, STACKED: _stacked(shares, losses, folds, alone), NEAREST: nearest}


def _stacked(shares: Array, losses: Array, folds: NDArray[np.int64], alone: Array) -> Array:
    """What the stacked model predicts of each fold, with weights that do not know that fold.

    `alone` are the predictions (models, n, metrics) of models that did not see the fold.
    """
    import numpy as np

    apart = np.empty((FOLDS, *alone.shape))
    for one, other in combinations(range(FOLDS), 2):
        rows = (folds == one) | (folds == other)
        predicted = _predictions(shares[~rows], losses[~rows], shares)
        apart[one][:, folds == other] = predicted[:, folds == other]
        apart[other][:, folds == one] = predicted[:, folds == one]
    stacked = np.empty_like(losses)
    for fold in range(FOLDS):
        own = folds == fold
        weights = stacking_weights(apart[fold][:, ~own], losses[~own])
        stacked[own] = (alone[:, own] * weights[:, None, :]).sum(axis=0)
    return stacked


def _predictions(shares: Array, losses: Array, mixtures: Array) -> Array:
    """What each of `FITS`, fitted to the runs, predicts of mixtures: (models, n, metrics)."""
    import numpy as np

    return np.stack([fit(shares, losses)(mixtures) for fit in FITS.values()])
