"""The sampling strategies: which rows of the frame, and with what probability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from curate.sample.frame import strata_of
from curate.sample.spec import SampleSpec

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


class Sampler(Protocol):
    """A strategy: it chooses row positions, best first, without repeats.

    The second array holds their inclusion probabilities.
    """

    def __call__(
        self, items: pd.DataFrame, n: int, rng: np.random.Generator, context: SampleSpec
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Choose n of the items; `stratum` is one of their columns."""
        ...


def random(
    items: pd.DataFrame, n: int, rng: np.random.Generator, context: SampleSpec
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Draw n rows without replacement, every row with the same probability."""
    import numpy as np

    n = min(n, len(items))
    return rng.permutation(len(items))[:n], np.full(n, n / max(1, len(items)))


def stratified(
    items: pd.DataFrame, n: int, rng: np.random.Generator, context: SampleSpec
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Draw rows at random within each value of the column `stratum`."""
    import numpy as np

    groups = [(name, rows.to_numpy()) for name, rows in strata_of(items)]
    shares = allocate([len(rows) for _, rows in groups], n, context.allocation)
    positions, probabilities = [], []
    for (_, rows), share in zip(groups, shares, strict=True):
        positions.append(rng.permutation(rows)[:share])
        probabilities.append(np.full(share, share / len(rows)))
    order = rng.permutation(sum(shares))
    return np.concatenate(positions)[order], np.concatenate(probabilities)[order]


STRATEGIES: dict[str, Sampler] = {"random": random, "stratified": stratified}


def allocate(
    sizes: Sequence[int], n: int, allocation: Literal["equal", "proportional"]
) -> list[int]:
    """Share n among strata of these sizes, in whole numbers; no share exceeds its stratum.

    A part that a small stratum cannot fill goes to the others. The largest remainders are
    rounded up.
    """
    total, shares = min(n, sum(sizes)), [0] * len(sizes)
    while left := total - sum(shares):
        open_strata = [place for place, size in enumerate(sizes) if shares[place] < size]
        weights = [1 if allocation == "equal" else sizes[place] for place in open_strata]
        quotas = {
            place: left * weight / sum(weights)
            for place, weight in zip(open_strata, weights, strict=True)
        }
        for place, quota in quotas.items():
            shares[place] += min(int(quota), sizes[place] - shares[place])
        rest = [place for place in open_strata if shares[place] < sizes[place]]
        rest.sort(key=lambda place: int(quotas[place]) - quotas[place])
        for place in rest[: total - sum(shares)]:
            shares[place] += 1
    return shares
