"""Shares of classes that limits leave within reach: the nearest to true shares, and their priors.

The sums of cells by class alone decide which true shares there are (see `true_shares`), and the
limits say which sums there can be. The nearest ones are a linear program over patterns of cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from curate.mixture.conflicts import OPTIONS, sides_of
from curate.mixture.cover import Cover
from curate.mixture.limits import Limit
from curate.mixture.projection import Problem
from curate.mixture.true_shares import solved

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Numbers = NDArray[np.int64]

SLACK = 5e-4
"""How far the shares of classes may be from those that a prior is chosen for."""

SAME = 1e-6
"""Shares that are so near to what limits allow are within reach."""

OTHERS = 0.01
"""What the distances of all classes weigh beside the largest one, which comes first."""


@dataclass(frozen=True)
class Reach:
    """The shares of classes that limits leave within reach; `classes` is their number.

    `cover` has a row for each limit, one for each class, and the sum.
    """

    cover: Cover
    classes: int

    @staticmethod
    def of(limits: Sequence[Limit], top: Array, class_of: Numbers, classes: int) -> Reach:
        """Those of cells: `class_of` is the class of each, `top` its largest share."""
        import numpy as np

        own = [np.flatnonzero(class_of == number) for number in range(classes)]
        low = [limit.low for limit in limits] + [0.0] * classes + [1.0]
        high = [limit.high for limit in limits] + [1.0] * (classes + 1)
        sets = [*(limit.cells for limit in limits), *own, np.arange(len(top))]
        ends = np.array(low), np.array(high)
        return Reach(Cover.of(sets, np.minimum(*ends), ends[1], top, top > 0), classes)

    def solved(self, matrix: Array, wanted: Array) -> Array:
        """The shares of classes within reach with matrix · shares nearest to `wanted`.

        They are those without limits where limits allow them.
        """
        import numpy as np

        free = solved(matrix, wanted)
        near = self.nearest(np.eye(self.classes), free)
        is_within = bool(np.abs(near - free).max() <= SAME)
        return free if is_within else self.nearest(matrix, wanted)

    def nearest(self, matrix: Array, wanted: Array) -> Array:
        """The shares within reach with the least max |matrix · shares - wanted|.

        Of several the one with the least sum of these distances. It is the uniform mixture where
        limits allow no shares at all: the projection then says what is in conflict.
        """
        import numpy as np
        from scipy import sparse
        from scipy.optimize import linprog

        rows, sides = self.cover.rows, sides_of(self.cover)
        own = rows[-1 - self.classes : -1]
        signs = np.array([-1.0 if is_low else 1.0 for _, is_low in sides])
        bounds = [(self.cover.low if is_low else self.cover.high)[row] for row, is_low in sides]
        sought, patterns, values = sparse.csr_array(matrix) @ own, rows.shape[1], len(wanted)
        off, largest = -sparse.eye_array(values), -np.ones((values, 1))
        kept = sparse.diags_array(signs) @ rows[[row for row, _ in sides]] if sides else None
        solution = linprog(
            np.concatenate([np.zeros(patterns), np.full(values, OTHERS), [1.0]]),
            A_ub=sparse.block_array(
                [
                    *([[kept, None, None]] if kept is not None else []),
                    [sought, off, None],
                    [-sought, off, None],
                    [None, -off, largest],
                ]
            ),
            b_ub=np.concatenate([signs * bounds, wanted, -wanted, np.zeros(values)]),
            A_eq=sparse.hstack([rows[[-1]], sparse.csr_array((1, values + 1))]),
            b_eq=[1.0],
            bounds=[(0.0, top) for top in self.cover.reach.tolist()] + [(0.0, None)] * (values + 1),
            method="highs",
            options=OPTIONS,
        )
        if solution.status != 0:
            return np.full(self.classes, 1 / self.classes)
        sums = np.asarray(own @ solution.x[:patterns]).clip(0)
        return np.asarray(sums / sums.sum())


def led_to(problem: Problem, prior: Array, class_of: Numbers, shares: Array) -> Array:
    """The prior that limits move to these shares of classes, within .0005; they are within reach.

    Of all mixtures with these shares it leads to the nearest one: limits of the classes have
    multipliers, and each becomes a factor of the prior.
    """
    import numpy as np

    classes = len(shares)
    own = np.bincount(class_of, problem.project(prior).shares, classes)
    if np.abs(own - shares).max() <= SLACK:
        return prior
    held = tuple(
        Limit(
            f"class {number}",
            np.flatnonzero(class_of == number),
            max(share - SLACK, 0.0),
            share + SLACK,
            is_written=False,
        )
        for number, share in enumerate(shares.tolist())
    )
    projected = replace(problem, limits=(*problem.limits, *held)).project(prior)
    factors = np.exp(projected.multipliers[-classes:].clip(-50, 50))
    return np.asarray(prior * factors[class_of])
