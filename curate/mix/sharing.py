"""The shares that groups are asked to have, before the limits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.errors import RecipeError
from curate.mix.preparing import Keys, Prepared
from curate.mix.spec import MixSpec
from curate.mixture.groups import Groups
from curate.mixture.shares import STRATEGIES, Offer, share_of, unfilled
from curate.names import absent, unknown
from curate.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Wish:
    """What a recipe wants of groups; `weights` are those of a file, by group."""

    spec: MixSpec
    weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def named(self) -> frozenset[str]:
        """The groups that a file of weights names."""
        return frozenset(self.weights)

    def shares(self, prepared: Prepared, means: Sequence[float] | None = None) -> dict[str, float]:
        """The share of each group, by name; they sum to 1.

        `means` are the mean qualities of the groups, else those of their documents. Groups that
        people left undecided keep the share of their supply: no strategy raises a class that is
        none. Raises RecipeError for a weight of a group that is not there.
        """
        import pandas as pd

        groups, between = prepared.supply.groups, self.spec.between
        supply = pd.Series(groups.supply)
        if between.shares is not None:
            return share_of(_frame(self.spec.groups, groups), supply, between.shares)
        if between.strategy == "weights":
            return self._of_weights(groups)
        there = [name for name in groups.names if groups.supply[name]]
        settled = [name for name in there if name not in prepared.tied] or there
        qualities = pd.Series(groups.mean_qualities() if means is None else means, groups.names)
        most = pd.Series(self._most(prepared), groups.names)
        offer = Offer(supply[settled], qualities[settled], most[settled])
        wanted = STRATEGIES[between.strategy](offer, alpha=between.alpha, beta=between.beta)
        return _with_supply_of_others(wanted, supply)

    @staticmethod
    def _most(prepared: Prepared) -> list[float]:
        """The largest share of the budget that the tokens of each group allow."""
        supply = prepared.supply
        return list(supply.limited.cells.by_group(supply.top, len(supply.groups.names)))

    def shares_as(
        self, prepared: Prepared, key: str, by_value: Mapping[str, float]
    ) -> dict[str, float]:
        """The share of each group if the values of a key have other shares than the recipe's."""
        import pandas as pd

        groups = prepared.supply.groups
        shares = {**(self.spec.between.shares or {}), key: dict(by_value)}
        return share_of(_frame(self.spec.groups, groups), pd.Series(groups.supply), shares)

    def _of_weights(self, groups: Groups) -> dict[str, float]:
        for name in self.weights:
            if name not in groups.names:
                words = (
                    f"mix.between.weights: {self._file} names {name}, and there is no such group"
                )
                raise unknown(words, name, groups.names)
        total = sum(self.weights.values())
        return {name: self.weights.get(name, 0.0) / total for name in groups.names}

    @property
    def _file(self) -> str:
        return Path(self.spec.between.weights.file).name if self.spec.between.weights else ""

    def unfilled(self, keys: Keys, prepared: Prepared) -> dict[str, list[str]]:
        """The values of `between.shares` without a candidate, by key. Raises DataError."""
        frame = _frame(self.spec.groups, prepared.supply.groups)
        return unfilled(frame, self.spec.between.shares or {}, keys.offered)


def _frame(keys: Sequence[str], groups: Groups) -> pd.DataFrame:
    """The values of every group, a row each, by the keys that make groups."""
    import pandas as pd

    return pd.DataFrame(list(groups.values), list(groups.names), columns=pd.Index(keys))


def _with_supply_of_others(wanted: Mapping[str, float], supply: pd.Series[int]) -> dict[str, float]:
    """The shares of all groups: those without a wish have their supply's, the others the rest."""
    others = supply[[name not in wanted for name in supply.index]] / supply.sum()
    rest = 1 - float(others.sum())
    settled = {name: share * rest for name, share in wanted.items()}
    return {str(name): settled.get(name, float(others.get(name, 0.0))) for name in supply.index}


def wish_of(workspace: Workspace, spec: MixSpec) -> Wish:
    """What a recipe wants, with its file of weights read. Raises RecipeError for a bad one."""
    if spec.between.strategy != "weights" or spec.between.weights is None:
        return Wish(spec)
    path = workspace.path(spec.between.weights.file)
    return Wish(spec, read_weights(path, "mix.between.weights"))


def read_weights(path: Path, where: str) -> dict[str, float]:
    """The weights of groups in a file; `where` names the setting. Raises RecipeError."""
    if not path.is_file():
        raise absent(f"{where}: no file {path}", path, hint=EXAMPLE)
    where = f"{where}: {path.name}"
    try:
        weights = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"{where} is no JSON: {error}", hint=EXAMPLE) from None
    if not isinstance(weights, dict) or not weights:
        raise RecipeError(f"{where} is no mapping of groups to weights", hint=EXAMPLE)
    for name, weight in weights.items():
        if not _is_weight(weight):
            wrong = json.dumps(weight, ensure_ascii=False)
            raise RecipeError(
                f"{where}: the weight of {name} is {wrong}, no number from 0 on", hint=EXAMPLE
            )
    if not sum(weights.values()) > 0:
        raise RecipeError(f"{where}: all weights are 0", hint=EXAMPLE)
    return {name: float(weight) for name, weight in weights.items()}


def _is_weight(weight: Any) -> bool:
    is_number = isinstance(weight, int | float) and not isinstance(weight, bool)
    return is_number and isfinite(weight) and weight >= 0


EXAMPLE = 'it reads as {"web": 3, "wiki": 1}'
