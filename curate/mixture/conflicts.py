"""Whether any shares keep all limits, and if not, which limits are in each other's way.

Linear programs over patterns of cells (HiGHS): the sums alone decide, so each pattern is one
variable. The last row of a cover, the sum of all shares, always stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate.mixture.cover import Cover
from curate.mixture.limits import TOLERANCE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

OPTIONS = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}

MANY = 300
"""Of a conflict between more sides of limits none is tried to be left out."""

Side = tuple[int, bool]
"""A row, and whether its lower side is meant."""


def _program(cover: Cover, cost: Array, sides: Sequence[Side], *, elastic: bool) -> Any:
    """The least cost of sums by pattern that keep some sides of rows, and the last row.

    If `elastic`, sides may be off at a cost of 1, and patterns cost nothing.
    """
    import numpy as np
    from scipy import sparse
    from scipy.optimize import linprog

    rows = np.array([row for row, _ in sides], np.int64)
    signs = np.array([-1.0 if is_low else 1.0 for _, is_low in sides])
    bounds = np.array([(cover.low if is_low else cover.high)[row] for row, is_low in sides])
    matrix = sparse.diags_array(signs) @ cover.rows[rows] if len(sides) else None
    total = cover.rows[[-1]]
    slack = 0
    if elastic:
        slack = len(sides) + 2
        ends = np.array([[1.0, -1.0]])
        nothing = sparse.csr_array((len(sides), 2))
        off = sparse.hstack([-sparse.eye_array(len(sides)), nothing])
        matrix = sparse.hstack([matrix, off]) if matrix is not None else None
        at_total = sparse.hstack([sparse.csr_array((1, len(sides))), sparse.csr_array(ends)])
        total = sparse.hstack([total, at_total])
    tops = np.concatenate([cover.reach, np.full(slack, np.inf)])
    return linprog(
        np.concatenate([cost * (not elastic), np.ones(slack)]),
        A_ub=matrix,
        b_ub=signs * bounds if matrix is not None else None,
        A_eq=total,
        b_eq=[cover.low[-1]],
        bounds=np.column_stack([np.zeros(len(tops)), tops]),
        method="highs",
        options=OPTIONS,
    )


def sides_of(cover: Cover) -> list[Side]:
    """The sides of all rows but the last that could be at work."""
    reach = cover.rows @ cover.reach
    last = cover.rows.shape[0] - 1
    lows = [(row, True) for row in range(last) if cover.low[row] > 0]
    highs = [(row, False) for row in range(last) if cover.high[row] < min(reach[row], 1.0)]
    return lows + highs


def conflict(cover: Cover) -> list[Side]:
    """A set of sides that no shares keep, while each subset of it can be kept.

    Empty if all sides can be kept, or if the sum alone cannot; see `shortfall`.
    """
    import numpy as np

    sides = sides_of(cover)
    solved = _program(cover, np.zeros(len(cover.starts)), sides, elastic=True)
    if solved.fun <= TOLERANCE or not sides:
        return []
    certificate = np.abs(solved.ineqlin.marginals) > 1e-9
    kept = [side for side, is_in in zip(sides, certificate, strict=True) if is_in]
    if len(kept) <= MANY:
        for side in list(kept):
            fewer = [other for other in kept if other != side]
            if not can_be_kept(cover, fewer):
                kept = fewer
    return kept


def can_be_kept(cover: Cover, sides: Sequence[Side]) -> bool:
    """Whether some shares keep these sides and the sum."""
    import numpy as np

    nothing = np.zeros(len(cover.starts))
    return bool(_program(cover, nothing, sides, elastic=True).fun <= TOLERANCE)


@dataclass(frozen=True)
class Least:
    """The least sum of some patterns, and what keeps it from being less.

    `rows` and `tops` have, for each row and pattern, by how much the sum would fall for each share
    by which that row's side or that pattern's top is moved; the sign is that of a multiplier.
    """

    sum: float
    rows: Array
    tops: Array


def least(cover: Cover, patterns: NDArray[np.bool_]) -> Least | None:
    """The least sum of some patterns that all sides allow; None if they allow no shares."""
    import numpy as np

    sides = sides_of(cover)
    solved = _program(cover, patterns.astype(float), sides, elastic=False)
    if solved.status != 0:
        return None
    rows = np.zeros(cover.rows.shape[0])
    for (row, is_low), slope in zip(sides, solved.ineqlin.marginals, strict=True):
        rows[row] += -slope if is_low else slope
    return Least(max(float(solved.fun), 0.0), rows, -solved.upper.marginals)


def greatest(cover: Cover, row: int, sides: Sequence[Side]) -> float | None:
    """The greatest sum of a row that some sides allow; None if they allow no shares."""
    import numpy as np

    cost = np.zeros(len(cover.starts))
    cost[cover.patterns_of(row)] = -1.0
    solved = _program(cover, cost, sides, elastic=False)
    return -float(solved.fun) if solved.status == 0 else None


def fullest(cover: Cover) -> tuple[Array, Array]:
    """The sums by pattern with the greatest total under all upper sides.

    The second array has, for each row, how much its upper side takes off the total.
    """
    import numpy as np
    from scipy.optimize import linprog

    highs = [row for row, is_low in sides_of(cover) if not is_low]
    solved = linprog(
        -np.ones(len(cover.starts)),
        A_ub=cover.rows[highs] if highs else None,
        b_ub=cover.high[highs] if highs else None,
        bounds=np.column_stack([np.zeros(len(cover.starts)), cover.reach]),
        method="highs",
        options=OPTIONS,
    )
    taken = np.zeros(cover.rows.shape[0])
    if highs:
        taken[highs] = -solved.ineqlin.marginals
    return np.asarray(solved.x), taken
