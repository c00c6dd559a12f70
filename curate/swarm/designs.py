"""Which mixtures to train: around the prior at stratified strengths, or filling the space.

The mixture of a number depends on seed and number alone, so more runs keep those before them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Design = Literal["dirichlet", "space_filling"]

FLATTENED = 0.5
"""The prior is taken to this power, and scaled to sum to 1 (RegMix)."""

STRENGTHS = 15
LEAST_STRENGTH, MOST_STRENGTH = 0.1, 5.0
"""RegMix draws from Dirichlets of so many strengths, evenly spread by their logarithms."""

NOTHING = 2e-4
"""A smaller share is 0 (RegMix)."""


def designed(design: Design, prior: Array, numbers: range, seed: int) -> Array:
    """The mixtures with these numbers, (n, groups), before limits.

    Number 0 is the prior itself. A group with prior 0 has share 0.
    """
    import numpy as np

    flat = np.where(prior > 0, prior**FLATTENED, 0.0)
    flat /= flat.sum()
    draw = _dirichlet if design == "dirichlet" else _space_filling
    found = np.array([prior if not number else draw(flat, number - 1, seed) for number in numbers])
    found = np.where(found < NOTHING, 0.0, found)
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def strength_of(number: int, seed: int) -> float:
    """The strength of a number: each of the strengths once in so many numbers, in random order."""
    import numpy as np

    block, place = divmod(number, STRENGTHS)
    order = np.random.default_rng([seed, block, 0]).permutation(STRENGTHS)
    return float(np.geomspace(LEAST_STRENGTH, MOST_STRENGTH, STRENGTHS)[order[place]])


def _dirichlet(flat: Array, number: int, seed: int) -> Array:
    """One draw from Dir(strength · flat)."""
    import numpy as np

    is_in = flat > 0
    drawn = np.zeros(len(flat))
    alpha = strength_of(number, seed) * flat[is_in]
    drawn[is_in] = np.random.default_rng([seed, number, 1]).dirichlet(alpha)
    return drawn


def _space_filling(flat: Array, number: int, seed: int) -> Array:
    """One point of a scrambled Sobol sequence, mapped to Dir(number of groups · flat).

    Its gamma quantiles, scaled to sum to 1. With an even prior that is uniform on the simplex.
    """
    import numpy as np
    from scipy.special import gammaincinv
    from scipy.stats import qmc

    is_in = flat > 0
    count = int(is_in.sum())
    sobol = qmc.Sobol(count, scramble=True, rng=np.random.default_rng([seed, 2]))
    point = sobol.fast_forward(number).random(1)[0] if number else sobol.random(1)[0]
    sizes = gammaincinv(count * flat[is_in], np.clip(point, 1e-9, 1 - 1e-9))
    drawn = np.zeros(len(flat))
    drawn[is_in] = sizes / sizes.sum()
    return drawn
