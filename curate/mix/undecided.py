"""Documents that people left undecided: they are in no class, so they are a group of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from curate.mixture.groups import Groups, Values

if TYPE_CHECKING:
    import pandas as pd


def undecided(groups: Groups, keys: Sequence[str], ties: Mapping[str, str]) -> list[str]:
    """The groups whose class people left undecided, by name.

    `keys` are what makes groups, `ties` are the names of that class by question (see `ties_of`).
    """
    return [
        name
        for name, values in zip(groups.names, groups.values, strict=True)
        if _is_undecided(values, keys, ties)
    ]


def _is_undecided(values: Values, keys: Sequence[str], ties: Mapping[str, str]) -> bool:
    return any(value == ties.get(key) for key, value in zip(keys, values, strict=True))


def documents(groups: Groups, names: Sequence[str]) -> int:
    """The number of candidates in groups of these names."""
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
