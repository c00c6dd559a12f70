"""The nearest shares of groups, each with limits of its own alone: one cell a group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from curate.mixture.bounds import bounds_of
from curate.mixture.limits import Limit
from curate.mixture.projection import LEAST, Problem


@dataclass(frozen=True)
class Shares:
    """Shares of groups, and the limits they keep.

    `high` is no more than the supply allows, and 0 for a group that stays out. `bound` names the
    limit that moved a group: min, max or max_epochs; None if none did.
    """

    shares: Mapping[str, float]
    low: Mapping[str, float]
    high: Mapping[str, float]
    bound: Mapping[str, str | None]


def project_groups(
    wanted: Mapping[str, float],
    *,
    low: Mapping[str, float],
    high: Mapping[str, float],
    supply: Mapping[str, float],
) -> Shares:
    """The shares nearest to `wanted` in KL divergence, within 1e-9.

    `supply` is the largest share that a group's tokens allow. Raises Infeasible where the limits
    leave no shares, and ArithmeticError where the conditions of the optimum do not hold or a share
    is no finite number.
    """
    import numpy as np

    names = tuple(wanted)
    prior, top = (np.array([own[name] for name in names], float) for own in (wanted, supply))
    limits = [
        Limit(name, np.array([cell]), low[name], high[name]) for cell, name in enumerate(names)
    ]
    projected = Problem.of(prior, top, limits, names=names).project(prior)
    cells = np.arange(len(names))
    bounds = bounds_of(names, cells, limits, top, prior >= LEAST, projected)
    return Shares(
        shares=dict(zip(names, projected.shares.tolist(), strict=True)),
        low=dict(zip(names, bounds.low.tolist(), strict=True)),
        high=dict(zip(names, bounds.high.tolist(), strict=True)),
        bound=dict(zip(names, bounds.bound, strict=True)),
    )
