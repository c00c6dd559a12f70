"""The limits of groups, by name: of those with candidates, and of those without any."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import product

from curate.mix.spec import MixSpec, ShareLimit
from curate.mixture.groups import Groups, name_of
from curate.names import unknown

Offered = Mapping[int, Collection[str]]
"""The values that a key may have, by its place in a group; those of other keys are not known."""


def limits_of(spec: MixSpec, groups: Groups) -> dict[str, ShareLimit]:
    """The limit of every group: its own, or that of `*`."""
    default = spec.limits.get("*", ShareLimit())
    return {name: spec.limits.get(name, default) for name in groups.names}


def limits_without_group(spec: MixSpec, groups: Groups, offered: Offered) -> list[str]:
    """The limits of groups that no candidate is in: there is nothing of them to limit.

    Raises RecipeError for a name that no group can have.
    """
    names = [name for name in spec.limits if name != "*" and name not in groups.names]
    known = _possible(groups, offered) if names else frozenset()
    for name in names:
        if name not in known:
            raise unknown(f"mix.limits: no group {name}", name, groups.names)
    return names


def _possible(groups: Groups, offered: Offered) -> frozenset[str]:
    """The names of the groups that there could be."""
    present = [frozenset(values) for values in zip(*groups.values, strict=True)]
    values = [{*own, *offered.get(place, ())} for place, own in enumerate(present)]
    return frozenset(map(name_of, product(*values)))
