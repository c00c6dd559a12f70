"""The mixture that a fit of runs proposes, and what is known of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isnan
from typing import TYPE_CHECKING, Literal

from curate.errors import DataError
from curate.mixture.regression.baselines import distances, negative_entropy
from curate.mixture.regression.judging import LEVEL, Scale, halved, spearman
from curate.mixture.regression.models import FITS, Predict
from curate.mixture.regression.proposing import (
    Objective,
    optimum,
    pulled_back,
    supported_distance,
)
from curate.mixture.regression.region import Region
from curate.mixture.regression.stacking import NEAREST, STACKED, fit_models, out_of_fold
from curate.rounding import rounded
from curate.swarm.fit import ENTROPY, OWN
from curate.swarm.runs import Runs, check_losses

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

AUTO: Literal["auto"] = "auto"
"""The model that ranks best out of fold."""

Model = Literal["auto", "linear", "log_linear", "boosting", "stacked"]
MODELS: tuple[Model, ...] = ("linear", "log_linear", "boosting", "stacked")
SMOOTH = ("linear", "log_linear")
EDGE = 1e-6
"""A share this near to a limit is held by it."""


@dataclass(frozen=True)
class Proposed:
    """What one group gets.

    Attributes:
        group: Its name.
        prior: Its share in the prior.
        share: Its share in the proposal.
        tried: The largest share of it that a run had.
        held_by: `min`, `max` or `runs` (no run had more), where that holds the share.
    """

    group: str
    prior: float
    share: float
    tried: float
    held_by: str | None


@dataclass(frozen=True)
class Proposal:
    """A mixture, and what is known of it.

    Attributes:
        model: The model that foretold its loss.
        transfer: `half` where half own weight took part in the choice.
        loss: The objective foretold for it.
        prior_loss: The objective foretold for the prior, moved into the limits.
        gain: How much lower the loss of the proposal is.
        gain_low: The lower end of the gain's interval of 90 %, over refits to resampled runs.
        gain_high: The upper end.
        divergence: KL to the prior, in nats.
        nearest_run: The run that is nearest.
        distance: Its distance: half the sum of the differences of shares.
        supported: The largest distance that is proposed.
        groups: What each group gets.
        notes: What a person should know.
    """

    model: str
    transfer: str
    loss: float
    prior_loss: float
    gain: float
    gain_low: float | None
    gain_high: float | None
    divergence: float
    nearest_run: str
    distance: float
    supported: float
    groups: tuple[Proposed, ...]
    notes: tuple[str, ...]

    @property
    def shares(self) -> dict[str, float]:
        """The share of each group."""
        return {own.group: own.share for own in self.groups}


@dataclass(frozen=True)
class Wishes:
    """What is asked of a proposal.

    Attributes:
        prior: The mixture to stay near, (groups,).
        region: The limits of shares.
        model: Which model foretells losses.
        kl: The price of a nat from the prior, in standard deviations of the runs' objective.
        is_half: Whether half own weight takes part.
        refits: How many refits to resampled runs the interval is of; 0 for none.
        seed: Seed of the resampling, and of trees' trials.
    """

    prior: Array
    region: Region
    model: Model = AUTO
    kl: float = 0.05
    is_half: bool = False
    refits: int = 20
    seed: int = 0


def propose(runs: Runs, wishes: Wishes) -> Proposal:
    """The mixture with the least foretold objective that limits and runs allow.

    No group gets more than the largest share that a run had. What lies too far from every run is
    moved towards a run. Raises DataError if no run lies near what the limits allow, and where all
    runs reached the same.
    """
    strange = check_losses(runs)
    chosen, told = _chosen(runs, wishes)
    wishes = replace(wishes, model=chosen)
    model = _fitted(runs, wishes)
    region, held = _tried(runs, wishes)
    prior = region.near(wishes.prior[None])[0]
    most = supported_distance(runs.shares)
    goal = Objective(_goal(runs, wishes, model), wishes.prior, wishes.kl, wishes.model in SMOOTH)
    wanted = optimum(goal, runs.shares, region, wishes.seed)
    mixture = pulled_back(wanted, runs.shares, region, most)
    if mixture is None:
        raise DataError(
            f"no run lies near what the limits allow: the nearest is further than {most:.3g}",
            hint="train runs within these limits, or widen them",
        )
    return _told(
        runs,
        wishes,
        model,
        mixture,
        prior,
        most,
        told + strange + _notes(runs, wishes, wanted, mixture, most, held),
    )


def _chosen(runs: Runs, wishes: Wishes) -> tuple[Model, tuple[str, ...]]:
    """The model that is asked for; of `auto` the one that ranks runs best that it did not see.

    A note says how well it ranks, and whether a trivial baseline does as well.
    """
    if wishes.model != AUTO:
        return wishes.model, ()
    predicted = out_of_fold(runs.shares, runs.losses, wishes.seed)
    ranks = {name: _rank(runs, predicted[name] @ runs.weights) for name in MODELS}
    model = max(MODELS, key=lambda name: ranks[name])
    trivial = {
        NEAREST: _rank(runs, predicted[NEAREST] @ runs.weights),
        ENTROPY: _rank(runs, negative_entropy(runs.shares)),
    }
    own = runs.own(runs.shares)
    if own is not None:
        trivial[OWN] = _rank(runs, own)
    best = max(trivial, key=lambda name: trivial[name])
    beside = f"the baseline {best} by {rounded(trivial[best], '.2f')}"
    told = f"{model} ranks runs that it did not see by {rounded(ranks[model], '.2f')}, {beside}"
    if ranks[model] <= trivial[best]:
        told += ": train more runs before you rely on it"
    return model, (told,)


def _rank(runs: Runs, objective: Array) -> float:
    """The rank correlation with the objective; -1 where it is none."""
    found = spearman(objective, runs.objective)
    return -1.0 if isnan(found) else found


def _fitted(runs: Runs, wishes: Wishes, start: Predict | None = None) -> Predict:
    if wishes.model == STACKED:
        return fit_models(runs.shares, runs.losses, wishes.seed)[STACKED]
    return FITS[wishes.model](runs.shares, runs.losses, start)


def _goal(runs: Runs, wishes: Wishes, model: Predict) -> Callable[[Array], Array]:
    """The objective in standard deviations over the runs, with own weight where it takes part."""
    scale = Scale.of(runs.objective)
    own = runs.own(runs.shares) if wishes.is_half else None
    own_scale = Scale.of(own) if own is not None else None

    def loss(mixtures: Array) -> Array:
        predicted = model(mixtures) @ runs.weights
        own = runs.own(mixtures) if own_scale is not None else None
        if own is None or own_scale is None:
            return scale.standardised(predicted)
        return halved(predicted, own, scale, own_scale)

    return loss


def _tried(runs: Runs, wishes: Wishes) -> tuple[Region, str | None]:
    """The limits with those of the runs: no share above the largest that a run had.

    Where no mixture keeps both, the limits alone, and a note.
    """
    tried = wishes.region.under(runs.shares.max(axis=0))
    if tried.is_empty:
        return wishes.region, "no mixture keeps the limits and the largest shares that runs had"
    return tried, None


def _notes(
    runs: Runs, wishes: Wishes, wanted: Array, mixture: Array, most: float, held: str | None
) -> tuple[str, ...]:
    import numpy as np

    notes = [held] if held else []
    notes += [f"{name} holds the shares of its groups" for name in _binding(wishes, mixture)]
    if not np.array_equal(wanted, mixture):
        far = float(distances(wanted[None], runs.shares).min())
        notes.append(
            f"the optimum lay {far:.3g} from its nearest run, further than 90 % of the runs lie "
            f"from theirs ({most:.3g}): it was pulled back towards a run"
        )
    return tuple(notes)


def _binding(wishes: Wishes, mixture: Array) -> list[str]:
    """The limits of sums over groups that a mixture is at, with their side."""
    found = []
    for row in wishes.region.rows:
        own = float(row.part @ mixture)
        if row.most < 1 and own >= row.most - EDGE:
            found.append(f"{row.name} max_share")
        elif row.least > 0 and own <= row.least + EDGE:
            found.append(f"{row.name} min_share")
    return found


def _told(
    runs: Runs,
    wishes: Wishes,
    model: Predict,
    mixture: Array,
    prior: Array,
    most: float,
    notes: tuple[str, ...],
) -> Proposal:
    import numpy as np
    from scipy.special import rel_entr

    both = np.stack([mixture, prior])
    loss, prior_loss = model(both) @ runs.weights
    gains = _gains(runs, wishes, model, both)
    low, high = (
        np.quantile(gains, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) if len(gains) else (None,) * 2
    )
    apart = distances(mixture[None], runs.shares)[0]
    if low is not None and low <= 0:
        notes = (*notes, "by this fit the proposal cannot be told apart from the prior")
    return Proposal(
        model=wishes.model,
        transfer="half" if wishes.is_half else "none",
        loss=float(loss),
        prior_loss=float(prior_loss),
        gain=float(prior_loss - loss),
        gain_low=None if low is None else float(low),
        gain_high=None if high is None else float(high),
        divergence=float(rel_entr(mixture, wishes.prior).sum()),
        nearest_run=runs.ids[apart.argmin()],
        distance=float(apart.min()),
        supported=most,
        groups=tuple(_groups(runs, wishes, mixture)),
        notes=notes,
    )


def _gains(runs: Runs, wishes: Wishes, model: Predict, both: Array) -> Array:
    """What the proposal gains over the prior, by models refitted to resampled runs."""
    import numpy as np

    rng = np.random.default_rng(wishes.seed)
    gains = []
    for _ in range(wishes.refits):
        rows = rng.integers(len(runs.shares), size=len(runs.shares))
        drawn = replace(runs, shares=runs.shares[rows], losses=runs.losses[rows])
        loss, prior_loss = _fitted(drawn, wishes, model)(both) @ runs.weights
        gains.append(prior_loss - loss)
    return np.array(gains)


def _groups(runs: Runs, wishes: Wishes, mixture: Array) -> list[Proposed]:
    tried = runs.shares.max(axis=0)
    rows = zip(
        *(runs.groups, wishes.prior, mixture, tried, wishes.region.low, wishes.region.high),
        strict=True,
    )
    return [
        Proposed(group, float(prior), float(share), float(most), _holder(share, most, low, high))
        for group, prior, share, most, low, high in rows
    ]


def _holder(share: float, tried: float, low: float, high: float) -> str | None:
    """What holds a share: a limit, or that no run had more."""
    if share >= high - EDGE and high < 1:
        return "max"
    if share <= low + EDGE and low > 0:
        return "min"
    return "runs" if share >= tried - EDGE else None
