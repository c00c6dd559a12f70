"""The share of the budget that each strategy asks for each group, before limits; they sum to 1."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Offer:
    """What the groups offer, by name.

    Attributes:
        supply: The tokens of each group.
        quality: The mean quality of each group.
        most: The largest share of the budget that the group's tokens allow, its epochs counted.
    """

    supply: pd.Series[int]
    quality: pd.Series[float]
    most: pd.Series[float]


class Strategy(Protocol):
    """How groups share the budget."""

    def __call__(self, offer: Offer, *, alpha: float, beta: float) -> dict[str, float]:
        """The share of each group, by name."""


def uniform(offer: Offer, *, alpha: float, beta: float) -> dict[str, float]:
    """The same share for every group."""
    return _shares(offer.supply * 0.0 + 1.0)


def proportional(offer: Offer, *, alpha: float, beta: float) -> dict[str, float]:
    """Shares in proportion to supply."""
    return _shares(offer.supply.astype(float))


def temperature(offer: Offer, *, alpha: float, beta: float) -> dict[str, float]:
    """Shares in proportion to supply ** alpha (Conneau and Lample 2019, arXiv 1901.07291).

    `alpha` is the exponent, not its inverse: 1 is proportional, 0 uniform.
    """
    return _shares(offer.supply.astype(float) ** alpha)


def unimax(offer: Offer, *, alpha: float, beta: float) -> dict[str, float]:
    """Equal shares, but none beyond its epochs (UniMax: Chung et al. 2023, arXiv 2304.09151).

    From the group with the fewest epochs to give on, each gets an equal part of what is left of the
    budget, or all it can give. Where all together cannot fill the budget, the shares are in
    proportion to what they can give; the projection then says what is short.
    """
    rest = 1.0
    wanted = offer.most * 0.0
    for place, (group, most) in enumerate(offer.most.sort_values(kind="stable").items()):
        share = min(rest / (len(wanted) - place), most)
        wanted[str(group)], rest = share, rest - share
    return _shares(wanted)


def by_quality(offer: Offer, *, alpha: float, beta: float) -> dict[str, float]:
    """Shares in proportion to supply ** alpha * exp(beta * mean quality of the group)."""
    import numpy as np

    powers = beta * offer.quality
    return _shares(offer.supply.astype(float) ** alpha * np.exp(powers - powers.max()))


STRATEGIES: dict[str, Strategy] = {
    "uniform": uniform,
    "proportional": proportional,
    "temperature": temperature,
    "unimax": unimax,
    "quality": by_quality,
    "shares": proportional,
}


def unfilled(
    keys: pd.DataFrame,
    shares: Mapping[str, Mapping[str, float]],
    offered: Mapping[str, Collection[str]],
) -> dict[str, list[str]]:
    """The values of each key that have a share and no candidate.

    `offered` are the values that a key can have. Raises DataError for a value that it cannot have,
    and where no value of a key that has a share has a candidate.
    """
    from curate.errors import DataError
    from curate.names import suggestion

    absent: dict[str, list[str]] = {}
    for key, values in shares.items():
        present = set(keys[key])
        wanted = [value for value, share in values.items() if share]
        absent[key] = [value for value in wanted if value not in present]
        refused = [value for value in absent[key] if value not in offered.get(key, ())]
        if refused or len(absent[key]) == len(wanted):
            value = (refused or wanted)[0]
            raise DataError(
                f"no candidate has {key} {value}, of which a share is wanted",
                hint=suggestion(value, sorted(present)),
            )
    return {key: values for key, values in absent.items() if values}


def share_of(
    keys: pd.DataFrame, supply: pd.Series[int], shares: Mapping[str, Mapping[str, float]]
) -> dict[str, float]:
    """The shares that follow `shares` for its keys, and the supply for the other keys.

    `keys` has a row for each group and a column for each key. `shares` maps a key to its values,
    and a value to its share; a value that is not there gets 0. What has no candidate leaves its
    share to the others. Raises DataError where no group is left with a share.
    """
    from curate.errors import DataError

    combinations = keys[list(shares)].agg(tuple, axis=1)
    wanted = supply * 0.0
    for combination, part in supply.groupby(combinations):
        share = 1.0
        for key, value in zip(shares, cast(tuple[str, ...], combination), strict=True):
            share *= shares[key].get(value, 0.0)
        wanted.loc[part.index] = share * part / part.sum()
    if not wanted.any():
        raise DataError(
            f"no candidate is in a combination of {' and '.join(shares)} that has a share",
            hint="change mix.between.shares",
        )
    return _shares(wanted)


def _shares(weights: pd.Series[float]) -> dict[str, float]:
    total = float(weights.sum())
    return {str(group): float(weight) / total for group, weight in weights.items()}
