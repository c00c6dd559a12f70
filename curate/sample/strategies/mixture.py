"""Documents of the groups about which the mixture is least sure, per second that people need.

The share of group k is w_k ∝ tokens_k^ALPHA * exp(BETA * Q_k), Q_k its mean quality (`mix` with
`between: quality` and its defaults). By the delta method, Var w_j = sum_k (dw_j/dQ_k)^2 Var Q_k
with dw_j/dQ_k = BETA * w_j * (1[j = k] - w_k). Q_k is estimated as in `mix`: predictions for all,
corrected by the residuals of labelled documents. So Var Q_k = residual_k^2 / answered_k. Where too
few labels tell the residuals, the deviation of the predicted qualities stands for them. One more
answer in group k takes sum_j (dw_j/dQ_k)^2 * (Var_k(n) - Var_k(n + 1)) off the variance of all
shares. The next document is drawn from the group where that is largest per second.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from curate.sample.strategies.strategy import Drawn, Stratum

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ALPHA, BETA = 0.5, 2.0


def sensitivities(tokens: NDArray[np.float64], quality: NDArray[np.float64]) -> NDArray[np.float64]:
    """sum_j (dw_j/dQ_k)^2 of each group k: by how much all shares move with its mean quality."""
    import numpy as np

    logs = ALPHA * np.log(np.maximum(tokens, 1)) + BETA * quality
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    jacobian = BETA * weights[:, None] * (np.eye(len(weights)) - weights[None, :])
    return np.asarray((jacobian**2).sum(axis=0))


def shares(strata: Mapping[str, Stratum], n: int, allocation: str) -> dict[str, int]:
    """The documents of each group: one of each first, then where the gain per second is largest.

    A group without qualities counts with the mean and the largest deviation of the others. One
    without answers counts as if it had one.
    """
    import numpy as np

    groups = list(strata.values())
    known = [group for group in groups if group.quality == group.quality]
    mean = sum(group.quality for group in known) / max(len(known), 1)
    widest = max(map(_deviation, known), default=1.0)
    quality = np.array([g.quality if g.quality == g.quality else mean for g in groups])
    deviation = np.array([_deviation(g) if g.quality == g.quality else widest for g in groups])
    tokens = np.array([group.tokens for group in groups])
    per_second = sensitivities(tokens, quality) / [group.seconds for group in groups]
    taken = _greedy(
        np.array([group.documents for group in groups]),
        np.array([group.answered for group in groups]),
        per_second * deviation**2,
        n,
    )
    return dict(zip(strata, taken, strict=True))


def _deviation(group: Stratum) -> float:
    """The deviation of a document that counts in the variance of a group's mean quality."""
    return group.deviation if group.residual is None else group.residual


def _greedy(
    sizes: NDArray[np.int64], answered: NDArray[np.int64], gains: NDArray[np.float64], n: int
) -> list[int]:
    """How many of each group, one by one; a gain at n answers is `gains` * (1/n - 1/(n + 1))."""
    import numpy as np

    taken = np.zeros(len(sizes), np.int64)
    for _ in range(min(n, int(sizes.sum()))):
        behind = np.maximum(answered + taken, 1)
        gain = np.where(taken < sizes, gains / (behind * (behind + 1)), -1.0)
        is_new = (taken == 0) & (sizes > 0)
        taken[int(np.where(is_new, np.inf, gain).argmax() if is_new.any() else gain.argmax())] += 1
    return [int(count) for count in taken]


STRATEGY = Drawn(by_stratum=True, shares=shares, reads_scores=True)
