"""How many copies of a document a draw is expected to take, over the noise of the draw.

Labelled documents are few, and of those few are drawn. What each would be drawn to on the mean says
as much of the draw as a sample of many more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from curate.mixture.drawing import Cuts
from curate.mixture.selection import values_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def expected_copies(
    log_weights: Array,
    group: NDArray[np.int64],
    cuts: Cuts,
    before: NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    """The mean copies that each row gets over Gumbel noise, by the cut of its group.

    A row is drawn once more if log w + G lies above the cut, with the chance 1 - exp(-w / e^cut).
    The cut is taken as given: of many rows one moves it little. A row of weight 0 (log weight
    -inf) gets no copies. `before` are the copies that it has (see `copies_of`).
    """
    import numpy as np

    passes, ends = cuts.passes[group], _ends(cuts)[group]
    drawable = log_weights > -np.inf
    with np.errstate(over="ignore"):
        copies = passes - np.expm1(-np.exp(np.where(drawable, log_weights, 0.0) - ends))
    if before is not None:
        copies = np.where(before <= passes, copies, before) - before
    return np.where(drawable, copies, 0.0)


def _ends(cuts: Cuts) -> Array:
    """The keys above which rows of groups are drawn once more: ±inf for none and for all."""
    import numpy as np

    has_end = (cuts.key > 0) | (cuts.tie > 0) | cuts.is_taken
    ends = np.where(has_end, values_of(cuts.key), np.inf)
    return np.where(cuts.takes_all, -np.inf, ends)
