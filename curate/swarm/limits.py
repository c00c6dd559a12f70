"""The prior and the limits of a proposal, out of files, as `mix` reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import yamls
from curate.errors import RecipeError
from curate.finite import is_number, shown
from curate.mix.spec import EVERY_OTHER, ShareLimit
from curate.mixture.regression.region import Region
from curate.names import absent, unknown
from curate.spec import Spec, validated

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LIMITS = 'as in `{web: {max: .5}, "*": {max_epochs: 2}}`, the form of `mix.limits`'
BY_GROUP = 'JSON: group → number, as {"web": 3, "wiki": 1}'


class _Limits(Spec):
    limits: dict[str, ShareLimit]


def read_limits(path: Path | None, groups: Sequence[str]) -> dict[str, ShareLimit]:
    """The limit of each group that has one; `*` is every other group.

    Raises RecipeError for a file that holds none, or an unknown group.
    """
    if path is None:
        return {}
    data = yamls.parse(_bytes(path, LIMITS), str(path), hint=LIMITS)
    found = validated(_Limits, {"limits": data}, where=str(path)).limits
    for name in found:
        if "=" in name and name not in groups:
            raise RecipeError(
                f"{path}: {name} limits a column, but only the groups of these runs are known",
                hint="`curate swarm propose` in the mixture's workspace keeps the limits of `mix`",
            )
        if name not in groups and name != EVERY_OTHER:
            raise unknown(f"{path}: no run has a group {name}", name, groups)
    every = found.pop(EVERY_OTHER, None)
    others = dict.fromkeys(groups, every) if every is not None else {}
    return {**{name: limit for name, limit in others.items() if limit}, **found}


def read_by_group(path: Path, groups: Sequence[str], lacks: str = "no run has a group") -> Array:
    """A number of at least 0 for each group (a prior, a supply); groups unnamed have 0.

    Raises RecipeError for a file that holds none, or an unknown group.
    """
    import numpy as np

    try:
        data: Any = json.loads(_bytes(path, BY_GROUP))
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"{path} is not JSON: {error}", hint=BY_GROUP) from None
    if not isinstance(data, dict) or not data:
        raise RecipeError(f"{path} is not a mapping of groups to numbers", hint=BY_GROUP)
    for name, value in data.items():
        if name not in groups:
            raise unknown(f"{path}: {lacks} {name}", name, groups)
        if not is_number(value) or value < 0:
            raise RecipeError(
                f"{path}: {name} is {shown(repr(value))}, not a number from 0 up", hint=BY_GROUP
            )
    numbers = np.array([float(data.get(name, 0.0)) for name in groups])
    if not numbers.any():
        raise RecipeError(f"{path}: all groups have 0", hint=BY_GROUP)
    if not is_number(sum(numbers.tolist())):
        raise RecipeError(f"{path}: the numbers have no finite sum", hint=BY_GROUP)
    return numbers


def _bytes(path: Path, hint: str) -> bytes:
    if not path.is_file():
        raise absent(f"no file {path}", path, hint=hint)
    return path.read_bytes()


def region_of(
    groups: Sequence[str],
    limits: Mapping[str, ShareLimit],
    supply: Array | None,
    budget: int | None,
    epochs: int,
    prior: Array,
) -> Region:
    """The least and largest share of each group.

    A group's share is at most its epochs times its supply over the budget. Raises RecipeError for
    limits that no mixture keeps, and for those that need a budget where there is none.
    """
    import numpy as np

    none = ShareLimit()
    own = [limits.get(name, none) for name in groups]
    if budget is None or supply is None:
        for name, limit in zip(groups, own, strict=True):
            if limit.max_tokens is not None or limit.max_epochs is not None:
                raise RecipeError(
                    f"the limit of {name} is in tokens or epochs", hint="give --supply and --budget"
                )
        high = np.array([limit.max_share for limit in own])
    else:
        most = [limit.max_epochs or epochs for limit in own]
        high = np.minimum([limit.most(budget) for limit in own], np.array(most) * supply / budget)
    low = np.array([limit.min_share for limit in own])
    high = np.where((prior > 0) | (low > 0), high, 0.0)
    _refuse_impossible(groups, low, high, prior)
    return Region(low, np.minimum(high, 1.0))


def _refuse_impossible(groups: Sequence[str], low: Array, high: Array, prior: Array) -> None:
    """Raise RecipeError for limits that no mixture keeps."""
    hint = "raise a max, the epochs or the supply, or lower a min or the budget"
    for name, least, most, share in zip(groups, low, high, prior, strict=True):
        if least > most:
            words = f"{name} has to have a share of {least:.4g}, and can have {most:.4g} at most"
            raise RecipeError(words, hint=hint)
        if least > 0 and not share:
            words = f"{name} has to have a share of {least:.4g}, and the prior gives it 0"
            raise RecipeError(words, hint="give it a share in the prior")
    if low.sum() > 1 + 1e-9:
        raise RecipeError(f"the smallest shares sum to {low.sum():.4g}, more than 1", hint=hint)
    if high.sum() < 1 - 1e-9:
        raise RecipeError(
            f"the largest shares that groups can have sum to {high.sum():.4g}, less than 1",
            hint=hint,
        )
