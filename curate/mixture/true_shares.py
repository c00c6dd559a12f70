"""Draw shares that meet true shares: what a predicted class is drawn to, so that the truth fits.

Of the documents that a head predicts to be of a class, some are of another. `matrix` says what they
are: classes x groups, the mean calibrated probability of each class among the documents drawn from
each group (a predicted class), weighted by copies and tokens; of a group of which none is drawn,
among all its documents. Then matrix · shares are the true shares.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.rounding import rounded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

NEAR = 0.005
"""How far a true share may be from what is wanted."""

STILL = 0.001
"""Draws are repeated until no share moves by so much."""

ROUNDS = 20


def solved(matrix: Array, wanted: Array) -> Array:
    """The shares of groups, ≥ 0 and of sum 1, with matrix · shares nearest to `wanted`.

    Nearest by least squares. As shares sum to 1, matrix · shares - wanted = B · shares, where B is
    the matrix less `wanted` in each column. The shares of the least |B · shares|² are in proportion
    to the non-negative x of the least |B · x|² + (Σ x - 1)²: for x = c · shares the best c leaves
    d² / (1 + d²), which grows with d = |B · shares| (Lawson and Hanson 1974, chapter 23).
    """
    import numpy as np
    from scipy.optimize import nnls

    rows = np.vstack([matrix - wanted[:, None], np.ones(matrix.shape[1])])
    unscaled, _ = nnls(rows, np.append(np.zeros(len(wanted)), 1.0))
    return np.asarray(unscaled / unscaled.sum())


@dataclass(frozen=True)
class TrueShares:
    """The shares that groups are drawn to, and the true shares that follow; one entry each.

    shares: of groups. reached: of classes. distance: the largest |reached - wanted|. rounds: the
    draws that were made. is_still: whether no share moves any more.
    """

    shares: Array
    reached: Array
    distance: float
    rounds: int
    is_still: bool

    @property
    def is_near(self) -> bool:
        """Whether every true share is within .005 of what is wanted."""
        return self.distance <= NEAR


def chosen(
    wanted: Array,
    first: Array,
    matrix_of: Callable[[Array], Array],
    *,
    solve: Callable[[Array, Array], Array] = solved,
    rounds: int = ROUNDS,
) -> TrueShares:
    """The shares of groups that meet the true shares `wanted` of classes.

    Which documents are drawn depends on the shares, and the matrix on these documents. So
    `matrix_of` draws with some shares and returns the matrix, `first` of all with the shares
    `first`, until no share moves by .001. A step that is not shorter than the last one is halved
    from then on: shares that swing between two draws settle between them. `solve` returns the
    shares for a matrix: of all, or of those within limits.
    """
    import numpy as np

    shares, step, last, is_still = first, 1.0, np.inf, False
    for number in range(1, rounds + 1):
        matrix = matrix_of(shares)
        moves = solve(matrix, wanted) - shares
        moved = float(np.abs(moves).max())
        is_still = moved < STILL
        if is_still or number == rounds:
            break
        step = step / 2 if moved >= last else step
        shares, last = shares + step * moves, moved
    reached = matrix @ shares
    distance = float(np.abs(reached - wanted).max())
    return TrueShares(shares, reached, distance, number, is_still)


def shortfall(classes: Sequence[str], wanted: Array, result: TrueShares) -> str:
    """How near the shares come, in words: the classes that are farther than .005, worst first."""
    import numpy as np

    off = np.abs(result.reached - wanted)
    far = [place for place in np.argsort(-off, kind="stable").tolist() if off[place] > NEAR]
    return ", ".join(
        f"{name} {rounded(reached, '.1%')} where {rounded(share, '.1%')} is wanted"
        for name, reached, share in (
            (classes[place], float(result.reached[place]), float(wanted[place])) for place in far
        )
    )
