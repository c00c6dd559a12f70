"""The methods by name, and the choice between them, strictly out of fold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from curate.heads.calibration.calibrator import Calibrator, OutOfFold
from curate.heads.calibration.isotonic import Isotonic, fit_isotonic
from curate.heads.calibration.platt import Platt, fit_platt
from curate.heads.calibration.shifted import Shifted, fit_shifted
from curate.heads.calibration.temperature import Temperature
from curate.heads.calibration.venn_abers import VennAbers, fit_venn_abers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Method = Literal["temperature", "shifted", "platt", "isotonic", "venn_abers"]
Calibration = Method | Literal["auto"]


def _fit_temperature(rows: OutOfFold) -> Temperature:
    return Temperature.fit(rows.logits, rows.truth, rows.shares(rows.truth))


METHODS: Mapping[Method, Callable[[OutOfFold], Calibrator]] = {
    "temperature": _fit_temperature,
    "shifted": fit_shifted,
    "platt": fit_platt,
    "isotonic": fit_isotonic,
    "venn_abers": fit_venn_abers,
}
KINDS: Mapping[str, type] = {
    "temperature": Temperature,
    "shifted": Shifted,
    "platt": Platt,
    "isotonic": Isotonic,
    "venn_abers": VennAbers,
}
"""What each method fits."""

ENOUGH = 100
"""Below so many labels, `auto` takes the first method: others have more to fit."""

BY_KIND: Mapping[str, tuple[Method, ...]] = {
    "choice": ("shifted", "platt", "isotonic", "venn_abers"),
    "rating": ("temperature", "shifted"),
    "preference": ("temperature",),
}
"""What `auto` chooses from, by the kind of question; the first unless another is better.

These methods keep the order of ratings, and the symmetry of preferences. Those of choices all
foresee the shares of the labels. A bare temperature does not: it multiplies what a head makes of
them. Where it was chosen for some folds alone, labelled texts and new ones had other shares.
"""


def fit(method: Calibration, rows: OutOfFold, kind: str = "choice") -> Calibrator:
    """Fit a calibrator; `auto` chooses the method for a kind of question."""
    own = _chosen(rows, BY_KIND[kind]) if method == "auto" else method
    return METHODS[own](rows)


def _chosen(rows: OutOfFold, methods: Sequence[Method]) -> Method:
    """The first method, unless another has a lower cross-fitted cross-entropy.

    The difference has to be larger than its standard error.
    """
    first, *others = methods
    if len(rows.truth) < ENOUGH or not others:
        return first
    losses = {method: losses_of(rows.truth, cross_fitted(method, rows)) for method in methods}
    better = [method for method in others if is_lower(losses[method], losses[first])]
    return min(better, key=lambda name: float(losses[name].mean()), default=first)


def cross_fitted(method: Calibration, rows: OutOfFold, kind: str = "choice") -> Array:
    """The probabilities of rows, each fold by a map fitted on the others: rows x values.

    With `auto` the method, too, is chosen on the other folds.
    """
    import numpy as np

    probabilities = np.empty_like(rows.truth)
    for fold in np.unique(rows.folds):
        inside = rows.folds == fold
        probabilities[inside] = fit(method, rows.take(~inside), kind)(rows.logits[inside])
    return probabilities


def losses_of(truth: Array, probabilities: Array) -> Array:
    """The cross-entropy of each row, in nats."""
    import numpy as np

    return np.asarray(-(truth * np.log(np.maximum(probabilities, 1e-12))).sum(axis=1))


def is_lower(losses: Array, others: Array) -> bool:
    """Whether the mean loss of rows is lower than another by more than its standard error."""
    import numpy as np

    gains = others - losses
    return bool(gains.mean() > gains.std(ddof=1) / np.sqrt(len(gains)))
