"""Shares of what is true: the draw shares of predicted classes that meet them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING

from curate.engine import in_order
from curate.errors import DataError, RecipeError
from curate.mix.keys import is_question
from curate.mix.mapped import Mapped
from curate.mix.order import Order, Sought
from curate.mix.places import Place
from curate.mix.planning import Drawing, Supply, drawing_of, prior_of, problem_of
from curate.mix.preparing import Keys, Prepared
from curate.mix.sharing import Wish
from curate.mixture.drawing import Cuts, copies_of
from curate.mixture.limits import Infeasible
from curate.mixture.reach import Reach, led_to
from curate.mixture.true_shares import STILL, chosen, shortfall
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def asks_for_truth(wish: Wish) -> bool:
    """Whether explicit shares are of what is true."""
    return wish.spec.between.shares is not None and wish.spec.between.shares_of == "truth"


def question_of(wish: Wish) -> str:
    """The question whose true shares are wanted. Raises RecipeError if it is not one."""
    asked = [name for name in wish.spec.between.shares or {} if is_question(name)]
    if len(asked) != 1:
        told = ", ".join(asked) or "none"
        raise RecipeError(
            f"mix.between.shares_of: truth needs shares of one question, and there are {told}",
            hint="give shares of a question; those of a column such as `source` are exact anyway",
        )
    return asked[0]


def drawing_for_truth(workspace: Workspace, prepared: Prepared, keys: Keys, wish: Wish) -> Drawing:
    """Draw so that the calibrated probabilities foresee the shares that are wanted.

    Under limits the shares of predicted classes are those within reach that come nearest. Raises
    DataError where that is not within .005, and says how near it comes.
    """
    import numpy as np

    supply, question = prepared.supply, question_of(wish)
    shares = (wish.spec.between.shares or {})[question]
    place = wish.spec.groups.index(question)
    values = [value for value in keys.offered[question] if value != keys.ties[question]]
    present = list(dict.fromkeys(own[place] for own in supply.groups.values))
    wanted = np.array([shares.get(value, 0.0) for value in values])
    first = np.array([shares.get(value, 0.0) for value in present])
    column = {value: number for number, value in enumerate(present)}
    class_of = np.array([column[own[place]] for own in supply.groups.values], np.int64)
    cell_class = class_of[supply.limited.cells.group]
    columns = tuple(f"{question}:{value}" for value in values)
    reach = Reach.of(supply.limited.limits, supply.top, cell_class, len(present))
    drawings: list[Drawing] = []
    reached: list[Array] = []

    def matrix_of(own: Array) -> Array:
        by_value = dict(zip(present, own.tolist(), strict=True))
        sought = wish.shares_as(prepared, question, by_value)
        drawing = _drawing(workspace, supply, sought, cell_class, own)
        drawings.append(drawing)
        matrix = _matrix(workspace, prepared, drawing.cuts, columns, class_of)
        promised = np.bincount(cell_class, drawing.projected.shares, len(present))
        reached.append(matrix @ promised)
        return matrix

    first = reach.solved(np.eye(len(present)), first / first.sum())
    result = chosen(wanted, first, matrix_of, solve=reach.solved)
    distance = float(np.abs(reached[-1] - wanted).max())
    result = replace(result, reached=reached[-1], distance=distance)
    if not result.is_near:
        raise _too_far(question, shortfall(values, wanted, result), _at_work(drawings[-1]))
    return drawings[-1]


def _too_far(question: str, near: str, limits: str) -> DataError:
    """The error where no draw comes near; `near` says how near one comes, `limits` what holds."""
    under, loosen = (f" under {limits}", ", or loosen the limits") if limits else ("", "")
    return DataError(
        f"no draw has these true shares of {question}{under}: {near}",
        hint=f"ask for less of what is rare, or sample more of it for people to label{loosen}",
    )


def _drawing(
    workspace: Workspace,
    supply: Supply,
    sought: Mapping[str, float],
    class_of: NDArray[np.int64],
    shares: Array,
) -> Drawing:
    """The drawing with these shares of predicted classes, whatever limits would move them to."""
    prior = prior_of(workspace, supply, sought)
    problem = problem_of(supply, prior)
    # Where limits are in conflict, the projection of the drawing says so.
    with suppress(Infeasible):
        prior = led_to(problem, prior, class_of, shares)
    return drawing_of(workspace, supply, prior, problem)


def _at_work(drawing: Drawing) -> str:
    """The limits of the recipe that leave no room on one side."""
    shares = drawing.projected.shares
    return ", ".join(
        limit.name
        for limit in drawing.problem.limits
        for own in [float(shares[limit.cells].sum())]
        if limit.is_written and (own >= limit.high - STILL or own <= limit.low + STILL)
    )


def _matrix(
    workspace: Workspace,
    prepared: Prepared,
    cuts: Mapped[Cuts],
    columns: Sequence[str],
    class_of: NDArray[np.int64],
) -> Array:
    """The mean probability of each value in what is drawn of each predicted class.

    Of a class of which nothing is drawn, that of all its documents.
    """
    import numpy as np

    count = _CountClasses(prepared.supply.order, cuts, tuple(columns), class_of)
    parts = in_order(workspace.engine.each(count, prepared.supply.places))
    drawn, everything = reduce(lambda total, own: total + own, parts)
    sums = np.where(drawn[-1] > 0, drawn, everything)
    return np.asarray(sums[:-1] / np.maximum(sums[-1], 1e-300))


@dataclass(frozen=True)
class _CountClasses:
    """Sums by predicted class, drawn and all: tokens times each probability, and tokens."""

    order: Order
    cuts: Mapped[Cuts]
    columns: tuple[str, ...]
    class_of: NDArray[np.int64]

    def __call__(self, place: Place) -> Array:
        """2 x (values + 1) x predicted classes."""
        import numpy as np

        candidates = place.read()
        rows = Sought(self.order).of(place, candidates)
        own, size = self.class_of[candidates.group], int(self.class_of.max()) + 1
        taken = copies_of(rows, self.cuts.read(), candidates.had) * rows.weight
        known = [candidates.table[name].to_numpy() for name in self.columns]
        return np.stack(
            [
                np.stack(
                    [np.bincount(own, mass * part, size) for part in (*known, np.ones(len(own)))]
                )
                for mass in (taken, rows.weight)
            ]
        )
