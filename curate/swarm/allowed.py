"""The mixtures of groups that the limits and the supply of `mix` allow."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from curate.errors import DataError
from curate.mix.before import Before
from curate.mix.planning import Supply, prior_of
from curate.mix.preparing import Drawable, Keys, prepare
from curate.mix.spec import MixSpec
from curate.mixture.limits import EPOCHS
from curate.mixture.regression.region import Region, Row, kept
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

WHOLE = 1 - 1e-9
"""A limit that covers so much of a group's draw is one of the group."""


@dataclass(frozen=True)
class Allowed:
    """What a mixture may be.

    Attributes:
        groups: The names of the groups.
        promised: The shares that `mix` promises, (groups,).
        supply: The tokens that there are of each group.
        epochs: How often the tokens of each group can be drawn on the mean.
        budget: The tokens of the mixture.
        region: The shares that limits and supply allow.
        within: Limits that no shares of groups can keep: only `mix` does, within groups.
    """

    groups: tuple[str, ...]
    promised: Array
    supply: Array
    epochs: Array
    budget: int
    region: Region
    within: tuple[str, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What is told of limits that shares of groups cannot keep."""
        if not self.within:
            return ()
        named = ", ".join(self.within)
        return (f"no shares of groups keep {named}: `mix` keeps them within groups",)

    def of(self, groups: Sequence[str]) -> Allowed:
        """The same with the groups in another order.

        Raises DataError where they are not the same.
        """
        import numpy as np

        if set(groups) != set(self.groups):
            raise DataError("the groups are not those of the mixture", hint="run `curate mix`")
        order = np.array([self.groups.index(name) for name in groups])
        rows = tuple(replace(row, part=row.part[order]) for row in self.region.rows)
        region = Region(self.region.low[order], self.region.high[order], rows)
        return replace(
            self,
            groups=tuple(groups),
            promised=self.promised[order],
            supply=self.supply[order],
            epochs=self.epochs[order],
            region=region,
        )


def spec_of(workspace: Workspace) -> MixSpec:
    """The settings of the mixture there is, of its first phase.

    Raises MissingInput without a mixture, DataError for one that goes on after earlier exports.
    """
    workspace.tables.require("mix", "groups")
    workspace.freshness.check("mix", "groups")
    spec = MixSpec.model_validate(dict(workspace.tables.made("mix").spec)).parts()[0][1]
    if spec.earlier:
        raise DataError(
            "this mixture goes on after earlier exports, and a swarm is of whole mixtures",
            hint="plan it in a workspace without `mix.earlier`",
        )
    return spec


def allowed(workspace: Workspace, budget: str | None = None) -> Allowed:
    """What the mixture of a workspace may be, at its own budget or another.

    A limit of a column counts by the part of each group that a draw without limits takes under it:
    then `mix` keeps it without moving a share. Raises DataError where the groups are not those that
    the mixture has.
    """
    import numpy as np

    spec = spec_of(workspace)
    spec = spec if budget is None else spec.model_copy(update={"budget": budget})
    rows = workspace.tables.read("groups", ["group", "phase", "promised"]).to_pylist()
    shares = {
        str(row["group"]): float(row["promised"])
        for row in rows
        if row["phase"] == rows[0]["phase"]
    }
    with _scratch(workspace) as folder:
        drawable = Drawable(folder, Before(), named=frozenset(shares))
        supply = prepare(workspace, spec, Keys.of(workspace), drawable).supply
        groups = tuple(supply.groups.names)
        if set(groups) != set(shares):
            raise DataError("the groups are not those of the mixture", hint="run `curate mix`")
        promised = np.array([shares[name] for name in groups])
        parts = _parts(workspace, supply, shares)
    region, within = kept(_region(supply, parts))
    tokens = np.array([float(supply.groups.supply[name]) for name in groups])
    most = supply.limited.cells.by_group(supply.top, len(groups)) * supply.budget
    epochs = most / np.maximum(tokens, 1)
    return Allowed(groups, promised, tokens, epochs, supply.budget, region, within)


def _parts(workspace: Workspace, supply: Supply, shares: dict[str, float]) -> Array:
    """The part of its group that the draw without limits takes of each cell."""
    import numpy as np

    cells, count = supply.limited.cells, len(supply.groups.names)
    prior = prior_of(workspace, supply, shares)
    tokens = cells.tokens.astype(np.float64)
    sums = cells.by_group(prior, count)[cells.group]
    spread = tokens / np.maximum(1, cells.by_group(tokens, count))[cells.group]
    return np.where(sums > 0, prior / np.where(sums > 0, sums, 1), spread)


def _region(supply: Supply, parts: Array) -> Region:
    """The limits over groups: those of one whole group, and rows of all others."""
    import numpy as np

    cells, count = supply.limited.cells, len(supply.groups.names)
    low = np.zeros(count)
    high = np.minimum(cells.by_group(supply.top, count), 1.0)
    rows = []
    for limit in supply.limited.limits:
        part = np.bincount(cells.group[limit.cells], parts[limit.cells], count)
        own = np.flatnonzero(part)
        if len(own) == 1 and part[own[0]] >= WHOLE:
            low[own] = np.maximum(low[own], limit.low)
            high[own] = np.minimum(high[own], limit.high)
        elif len(own) and limit.name != EPOCHS:
            rows.append(Row(limit.name, np.minimum(part, 1.0), limit.low, limit.high))
    return Region(low, high, tuple(rows))


@contextmanager
def _scratch(workspace: Workspace) -> Iterator[Path]:
    """A folder for scratch files, empty at the beginning and gone at the end."""
    folder = workspace.root / ".building" / "swarm"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
