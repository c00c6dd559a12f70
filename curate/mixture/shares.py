"""How groups share the budget: what each strategy wants, before limits.

`supply` holds the tokens of each group by name; shares sum to 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import pandas as pd

Strategy = Callable[["pd.Series[int]", "pd.Series[float]", Any], dict[str, float]]


def uniform(supply: pd.Series[int], quality: pd.Series[float], spec: Any) -> dict[str, float]:
    """Every group the same share."""
    return _shares(supply * 0.0 + 1.0)


def proportional(supply: pd.Series[int], quality: pd.Series[float], spec: Any) -> dict[str, float]:
    """Every group its share of the tokens there are."""
    return _shares(supply.astype(float))


def temperature(supply: pd.Series[int], quality: pd.Series[float], spec: Any) -> dict[str, float]:
    """Shares in proportion to supply ** alpha (Conneau and Lample 2019, arXiv 1901.07291).

    `alpha` is the exponent, not its inverse: 1 is proportional, 0 uniform.
    """
    return _shares(supply.astype(float) ** spec.alpha)


def by_quality(supply: pd.Series[int], quality: pd.Series[float], spec: Any) -> dict[str, float]:
    """Shares in proportion to supply ** alpha * exp(beta * mean quality of the group)."""
    import numpy as np

    return _shares(supply.astype(float) ** spec.alpha * np.exp(spec.beta * quality))


STRATEGIES: dict[str, Strategy] = {
    "uniform": uniform,
    "proportional": proportional,
    "temperature": temperature,
    "quality": by_quality,
    "shares": proportional,
}


def share_of(
    keys: pd.DataFrame, supply: pd.Series[int], shares: Mapping[str, Mapping[str, float]]
) -> dict[str, float]:
    """Return explicit shares: `shares` of some keys, the others in proportion to the supply.

    `keys` holds the value of each key for each group. A value that is not named gets 0. Raises
    DataError where a share is asked of a value that no document has.
    """
    from curate.errors import DataError

    for key, values in shares.items():
        missing = [v for v, share in values.items() if share and v not in set(keys[key])]
        if missing:
            raise DataError(
                f"no candidate has {key} {missing[0]}, of which a share is wanted",
                hint="label more texts (`curate run --next-round`), or change mix.between.shares",
            )
    named = keys[list(shares)].agg(tuple, axis=1)
    wanted = supply * 0.0
    for place, inside in supply.groupby(named):
        share = 1.0
        for key, value in zip(shares, cast(tuple[str, ...], place), strict=True):
            share *= shares[key].get(value, 0.0)
        wanted.loc[inside.index] = share * inside / inside.sum()
    if not wanted.any():
        raise DataError(
            f"no candidate is in a combination of {' and '.join(shares)} that has a share",
            hint="change mix.between.shares",
        )
    return _shares(wanted)


def _shares(weights: pd.Series[float]) -> dict[str, float]:
    total = float(weights.sum())
    return {str(group): float(weight) / total for group, weight in weights.items()}
