"""Documents that people left undecided: they are in no class, so they are a group of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from curate.mix.candidates import COLUMNS, UNDECIDED
from curate.mixture.groups import Groups, Values

if TYPE_CHECKING:
    import pandas as pd


def undecided(groups: Groups, keys: Sequence[str]) -> list[str]:
    """The groups whose class people left undecided, by name; `keys` are what makes groups."""
    return [
        name
        for name, values in zip(groups.names, groups.values, strict=True)
        if _is_undecided(values, keys)
    ]


def _is_undecided(values: Values, keys: Sequence[str]) -> bool:
    return any(
        key not in COLUMNS and value == UNDECIDED for key, value in zip(keys, values, strict=True)
    )


def documents(groups: Groups, keys: Sequence[str]) -> int:
    """The number of candidates that people left undecided."""
    names = undecided(groups, keys)
    facts = zip(groups.names, groups.facts, strict=True)
    return sum(own.documents for name, own in facts if name in names)


def with_their_supply(
    wanted: dict[str, float], supply: pd.Series[int], names: Sequence[str]
) -> dict[str, float]:
    """The shares of all groups: those of `names` have their supply's, the others share the rest.

    No strategy raises a class that is none. `wanted` are the shares of the other groups.
    """
    own = supply[list(names)] / supply.sum()
    rest = 1 - float(own.sum())
    settled = {name: share * rest for name, share in wanted.items()}
    return {name: settled.get(name, float(own.get(name, 0.0))) for name in supply.index}
