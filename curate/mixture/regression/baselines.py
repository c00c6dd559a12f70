"""The trivial baselines: what ranks mixtures without any fit, or by the nearest run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from curate.mixture.regression.models import FLOOR

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

AROUND = re.compile(
    r"^(?:train|valid|validation|val|test|eval|metric|metrics|loss|share|weight)[/_.: -]"
    r"|[/_.: -](?:loss|val|valid|validation|test|nll|bpb|ppl|perplexity|share|weight)$",
    re.IGNORECASE,
)
"""What stands around the name of a group in columns of shares and of losses."""


def judged_groups(groups: Sequence[str], metrics: Sequence[str]) -> dict[str, str]:
    """The group that each metric judges, by their names; metrics without one stay out.

    `metric/the_pile_arxiv_val_loss` judges `train_the_pile_arxiv`: the names are the same without
    the words around them.
    """
    by_core = {_core(group): group for group in groups}
    return {
        metric: metric if metric in groups else by_core[_core(metric)]
        for metric in metrics
        if metric in groups or _core(metric) in by_core
    }


def _core(name: str) -> str:
    while (shorter := AROUND.sub("", name)) != name:
        name = shorter
    return name.casefold()


def own_weights(
    shares: Array, groups: Sequence[str], metrics: Sequence[str], judged: Mapping[str, str]
) -> Array:
    """-log(share + .001) of the group that each metric judges, (n, metrics); NaN without one."""
    import numpy as np

    own = np.full((len(shares), len(metrics)), np.nan)
    for place, metric in enumerate(metrics):
        if metric in judged:
            own[:, place] = -np.log(shares[:, groups.index(judged[metric])] + FLOOR)
    return own


def own_weight(own: Array, weights: Array) -> Array | None:
    """The own weights averaged over the metrics that judge a group, (n,); None without any."""
    import numpy as np

    has = ~np.isnan(own[0]) & (weights > 0)
    if not has.any():
        return None
    return np.asarray(own[:, has] @ weights[has] / weights[has].sum())


def negative_entropy(shares: Array) -> Array:
    """-H(x) in nats, (n,): evenly spread mixtures are held to be better."""
    from scipy.special import xlogy

    total: Array = xlogy(shares, shares).sum(axis=1)
    return total


def distances(mixtures: Array, runs: Array) -> Array:
    """The total variation distance, half the sum of differences, (mixtures, runs), from 0 to 1."""
    import numpy as np

    return np.asarray(np.abs(mixtures[:, None, :] - runs[None, :, :]).sum(axis=2) / 2)


def nearest_run(mixtures: Array, runs: Array, losses: Array) -> Array:
    """The losses of the run that is nearest to each mixture, (n, metrics)."""
    nearest: Array = losses[distances(mixtures, runs).argmin(axis=1)]
    return nearest
