"""How much of each cell is drawn, and where each draw ends.

A strategy wants shares of groups. What the draw without limits would take of each cell is its
prior; the projection moves the priors within the limits; each cell is then drawn by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from curate.engine import in_order
from curate.errors import DataError
from curate.mix import budgets
from curate.mix.budgets import Unit
from curate.mix.limiting import EARLIER, Limited
from curate.mix.mapped import Mapped, mapped
from curate.mix.order import Order, Ranked, Sought
from curate.mix.passes import Fifths, find_boundaries, locate
from curate.mix.places import Place
from curate.mixture.drawing import Cuts, Plans, copies_of, cuts_of
from curate.mixture.groups import Groups
from curate.mixture.limits import Infeasible
from curate.mixture.projection import Problem, Projected
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MOST_GONE = 1e-6
"""A group of which more is gone than is wanted keeps this part of its wish for what is there."""

MOST_LOG = 50.0
"""The logarithm of the largest factor that is told: those of cells with prior 0 are infinite."""

UNLIMITED = 2**62
"""Copies without a limit."""


@dataclass(frozen=True)
class Supply:
    """What can be drawn, and within which limits; `budget` and sizes are in `unit`."""

    places: list[Place]
    groups: Groups
    limited: Limited
    order: Order
    budget: int
    unit: Unit = "tokens"

    @property
    def cell_names(self) -> list[str]:
        """What the cells are called in messages: by their groups."""
        return [self.groups.names[number] for number in self.limited.cells.group.tolist()]

    @property
    def has_cells(self) -> bool:
        """Whether limits tell documents of a group apart."""
        limited = self.limited
        groups = sum(facts.documents > 0 for facts in self.groups.facts)
        return len(limited.cells) - limited.gone > groups

    @property
    def top(self) -> Array:
        """The largest share of each cell: what was drawn already, and what may still be drawn."""
        import numpy as np

        return np.asarray((self.limited.past + self.limited.room) / self.budget)


@dataclass(frozen=True)
class Drawing:
    """How every cell is drawn: its share of the budget, and where its draw ends.

    `prior` are the shares without limits, `projected` those within them, by `problem`.
    """

    prior: Array
    problem: Problem
    projected: Projected
    cuts: Mapped[Cuts]

    @property
    def factors(self) -> Array:
        """What the recipe's limits multiply the prior of each cell by, beside those of its group.

        A cell that is at its top has less.
        """
        import numpy as np

        logs = np.zeros(len(self.prior))
        for limit, own in zip(self.problem.limits, self.projected.multipliers, strict=True):
            if own and limit.name != EARLIER:
                logs[limit.cells] += np.clip(own, -MOST_LOG, MOST_LOG)
        return np.asarray(np.exp(logs))


def prior_of(workspace: Workspace, supply: Supply, wanted: Mapping[str, float]) -> Array:
    """The share of each cell that the draw without limits would take.

    A group of which that draw takes no document is spread as its tokens are. What is gone has what
    it had.
    """
    import numpy as np

    limited, groups = supply.limited, supply.groups
    shares = np.array([wanted[name] for name in groups.names])
    parts = _parts(workspace, supply, shares)
    had = limited.past / supply.budget
    is_gone = np.arange(len(limited.cells)) >= len(limited.cells) - limited.gone
    gone = limited.cells.by_group(np.where(is_gone, had, 0.0), len(groups.names))
    left = (shares - gone).clip(MOST_GONE * shares)
    return np.where(is_gone, had, left[limited.cells.group] * parts)


def _parts(workspace: Workspace, supply: Supply, shares: Array) -> Array:
    """The part of its group that the draw without limits would take of each cell."""
    import numpy as np

    cells, facts = supply.limited.cells, supply.groups.facts
    if not supply.has_cells:
        return np.ones(len(cells))
    tokens = np.array([own.tokens for own in facts], np.int64)
    plans = Plans.of(shares * supply.budget, tokens[:, None], np.full(len(facts), UNLIMITED))
    sizes = np.array([own.documents for own in facts])
    rows = Sought(supply.order, by_group=True)
    with workspace.watch("finding what no limit would move", None):
        cuts = _located(workspace, supply, rows, plans, shares * supply.budget, sizes)
        taken = _taken(workspace, supply, cuts)
    sums = cells.by_group(taken, len(facts))[cells.group]
    supplies = cells.tokens.astype(np.float64)
    spread = supplies / np.maximum(1, cells.by_group(supplies, len(facts)))[cells.group]
    return np.where(sums > 0, taken / np.maximum(sums, 1), spread)


def _taken(workspace: Workspace, supply: Supply, cuts: Cuts) -> Array:
    """The tokens that a draw by groups takes of each cell."""
    count = _CountTaken(supply.order, cuts, len(supply.limited.cells))
    return reduce(
        lambda total, own: total + own,
        in_order(workspace.engine.each(count, supply.places)),
    )


@dataclass(frozen=True)
class _CountTaken:
    order: Order
    cuts: Cuts
    cells: int

    def __call__(self, place: Place) -> Array:
        """The tokens of each cell that a draw by groups takes of a piece."""
        import numpy as np

        candidates = place.read()
        rows = Sought(self.order, by_group=True).of(place, candidates)
        taken = copies_of(rows, self.cuts) * rows.weight
        return np.asarray(np.bincount(candidates.cell, taken, self.cells), np.float64)


def problem_of(supply: Supply, prior: Array) -> Problem:
    """The limits over the cells, for priors that are above 0 where this one is."""
    return Problem.of(
        prior,
        supply.top,
        supply.limited.limits,
        names=supply.cell_names,
        supply=supply.limited.cells.tokens.astype(float),
    )


def drawing_of(workspace: Workspace, supply: Supply, prior: Array, problem: Problem) -> Drawing:
    """Move the priors within the limits, and find where each cell's draw ends.

    Raises DataError where no shares keep the limits, or the budget buys no document.
    """
    cells, projected = supply.limited.cells, _projected(supply, prior, problem)
    problem = problem.unready()  # the covers are as large as the cells, and the search needs none
    targets = (projected.shares * supply.budget - supply.limited.past).clip(0)
    plans = Plans.of(targets, cells.levels, supply.limited.epochs)
    was_drawn = cells.levels.shape[1] > 1
    rows = Sought(supply.order, passes=plans.passes if was_drawn else None)
    with workspace.watch("finding the cut", None):
        cuts = _located(workspace, supply, rows, plans, targets, cells.documents)
    if not cuts.tokens.any():
        raise DataError(
            f"a budget of {budgets.words(supply.budget, supply.unit)} is not worth one document",
            hint="raise `mix.budget`",
        )
    return Drawing(prior, problem, projected, _stored(supply, cuts))


def _stored(supply: Supply, cuts: Cuts) -> Mapped[Cuts]:
    """The cuts in a scratch file of their own."""
    folder = supply.places[0].path.parent
    number = sum(1 for _ in folder.glob("*.cuts"))
    return mapped(folder / f"{number:03}.cuts", Cuts, **vars(cuts))


def _projected(supply: Supply, prior: Array, problem: Problem) -> Projected:
    try:
        return problem.project(prior)
    except Infeasible as error:
        tokens = sum(facts.tokens for facts in supply.groups.facts)
        most = int(supply.limited.epochs.max())
        raise DataError(
            f"a budget of {budgets.words(supply.budget, supply.unit)} cannot be met: {error}; the "
            f"candidates hold {budgets.words(tokens, supply.unit)}, each drawn {most} times at "
            "most",
            hint=error.hint,
        ) from None


def _located(
    workspace: Workspace,
    supply: Supply,
    rows: Sought,
    plans: Plans,
    targets: Array,
    sizes: NDArray[np.int64],
) -> Cuts:
    import numpy as np

    sought = np.flatnonzero(~np.isnan(plans.rest))
    places, rests = supply.places, plans.rest[sought]
    # The ends have no name here: `cuts_of` lets go of them as soon as they are spread.
    return cuts_of(plans, targets, locate(workspace.engine, places, rows, sought, rests, sizes))


def fifths_of(workspace: Workspace, supply: Supply) -> Fifths:
    """Where the fifths of quality begin in each group."""
    import numpy as np

    facts = supply.groups.facts
    sizes = np.array([own.known for own in facts])
    with workspace.watch("finding the fifths", None):
        edges = find_boundaries(
            workspace.engine, supply.places, Ranked(), Fifths.targets(facts), sizes
        )
    return Fifths.of(facts, edges)
