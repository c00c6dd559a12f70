"""The mixture with the least predicted loss near the prior, within limits, near runs.

    minimise loss(x) + κ KL(x || prior)   subject to   low ≤ x ≤ high,  Σ x = 1

Smooth models are minimised by mirror descent: each step is the nearest mixture in the sense of KL,
which is that of `region`. With the log-linear law the problem is convex, so that is the optimum
(olmix, `fit/utils.py`). Trees have no gradient: mixtures around the best so far are tried.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.mixture.regression.baselines import distances
from curate.mixture.regression.region import Region
from curate.threads import one_thread

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

STEPS = 1000
STILL = 1e-9
"""Descent ends once no share moves by more."""

NUDGE = 1e-6
"""The step of the numeric gradient."""

STARTS = 2
"""Descent starts from the prior, and from so many of the best runs."""

ROUNDS, TRIED, KEPT = 12, 1000, 16
STRENGTHS = (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
"""The sharpness of the mixtures that are tried: of a Dirichlet around the best."""

COMMON = 0.9
"""A proposal may be as far from its nearest run as this part of the runs are from theirs."""


@dataclass(frozen=True)
class Objective:
    """What a proposal minimises.

    Attributes:
        loss: The predicted loss (n,) of mixtures (n, groups).
        prior: The mixture to stay near; a group with 0 stays out.
        kl: κ, the price of a nat from the prior, in units of the loss.
        is_smooth: Whether the loss has a gradient.
    """

    loss: Callable[[Array], Array]
    prior: Array
    kl: float
    is_smooth: bool = True

    def __call__(self, mixtures: Array) -> Array:
        """The loss and the price of the distance to the prior, (n,)."""
        from scipy.special import rel_entr

        price: Array = self.kl * rel_entr(mixtures, self.prior).sum(axis=1)
        return self.loss(mixtures) + price

    def gradient(self, mixture: Array) -> Array:
        """The gradient of the loss alone, by central differences that go not below 0."""
        import numpy as np

        nudge = NUDGE * np.eye(len(mixture))
        above, below = mixture + nudge, np.maximum(mixture - nudge, 0)
        return np.asarray((self.loss(above) - self.loss(below)) / (above - below).sum(axis=1))


def optimum(objective: Objective, runs: Array, region: Region, seed: int = 0) -> Array:
    """The best mixture found, (groups,), from the prior and from the best runs."""
    import numpy as np

    region = region.under(np.where(objective.prior > 0, 1.0, 0.0))
    around = 0.99 * region.near(runs) + 0.01 * objective.prior
    with np.errstate(divide="ignore"):
        starts = region.nearest(np.log(np.vstack([objective.prior, around])))
    best = starts[1:][np.argsort(objective(starts[1:]), kind="stable")[:STARTS]]
    starts = np.vstack([starts[:1], best])
    with one_thread():
        if objective.is_smooth:
            ends = np.array([_descend(objective, start, region) for start in starts])
        else:
            ends = _search(objective, starts, region, np.random.default_rng(seed))
    return np.asarray(ends[objective(ends).argmin()])


def _descend(objective: Objective, start: Array, region: Region) -> Array:
    """Where mirror descent ends; a step that does not fall as foreseen is halved."""
    import numpy as np
    from scipy.special import rel_entr

    here, step = start, 1.0
    with np.errstate(divide="ignore"):
        prior = np.log(objective.prior)
    for _ in range(STEPS):
        gradient, loss = objective.gradient(here), objective.loss(here[None])[0]
        while True:
            with np.errstate(divide="ignore"):
                logs = np.log(here) / step - gradient
            logs = (logs + (objective.kl * prior if objective.kl else 0)) / (
                1 / step + objective.kl
            )
            there = region.nearest(logs[None])[0]
            foreseen = loss + gradient @ (there - here) + rel_entr(there, here).sum() / step
            if step < 1e-9 or objective.loss(there[None])[0] <= foreseen + 1e-13:
                break
            step /= 2
        moved, here, step = np.abs(there - here).max(), there, step * 1.5
        if moved < STILL:
            break
    return here


def _search(objective: Objective, starts: Array, region: Region, rng: np.random.Generator) -> Array:
    """The best of each round of mixtures tried around the mean of the best so far."""
    import numpy as np

    best = starts
    for _ in range(ROUNDS):
        centre = best.mean(axis=0)
        sharp = np.repeat(STRENGTHS, TRIED // len(STRENGTHS))
        tried = np.array([rng.dirichlet(centre * strength + 1e-3) for strength in sharp])
        with np.errstate(divide="ignore"):
            tried = np.vstack([best, region.nearest(np.log(tried))])
        best = tried[np.argsort(objective(tried), kind="stable")[:KEPT]]
    return best


def supported_distance(runs: Array) -> float:
    """How far from its nearest run a proposal may be: as 90 % of the runs are from theirs."""
    import numpy as np

    apart = distances(runs, runs)
    np.fill_diagonal(apart, np.inf)
    return float(np.quantile(apart.min(axis=1), COMMON))


def pulled_back(mixture: Array, runs: Array, region: Region, most: float) -> Array | None:
    """The mixture, or one between it and a run within the limits, at most so far from a run.

    None if no run lies within the limits, or near enough to them.
    """
    import numpy as np

    if distances(mixture[None], runs).min() <= most:
        return mixture
    within = region.near(runs)
    within = within[distances(within, runs).min(axis=1) <= most]
    if not len(within):
        return None
    anchor = within[distances(mixture[None], within)[0].argmin()]
    far, near = 0.0, 1.0
    for _ in range(50):
        middle = (far + near) / 2
        tried = (1 - middle) * mixture + middle * anchor
        is_near = distances(tried[None], runs).min() <= most
        far, near = (far, middle) if is_near else (middle, near)
    return np.asarray((1 - near) * mixture + near * anchor)
