"""The part of a batch that a strategy picks: candidates, without near-duplicates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from curate.sample.alike import distinct
from curate.sample.candidates import Candidates

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Select = Callable[[Candidates, int], "NDArray[np.int64]"]

PASSES = 10
"""A strategy is asked so often for others in place of near-duplicates; chance gives the rest."""


def pick(
    candidates: Candidates,
    n: int,
    select: Select,
    texts: Callable[[Sequence[str]], Sequence[str]],
) -> list[str]:
    """The ids of at most n candidates that a strategy selects, none a near-duplicate of another.

    Near-duplicates of what it selects are taken from the candidates, and it selects again. `texts`
    returns the texts of documents by their ids.
    """
    import numpy as np

    ids: list[str] = []
    for _ in range(PASSES):
        if not len(candidates) or not n:
            return ids
        places = select(candidates, n)
        selected = candidates.ids[places].tolist()
        staying = distinct(texts(selected))
        ids = [selected[place] for place in staying]
        if len(ids) == n or len(staying) == len(places):
            return ids
        remains = np.ones(len(candidates), bool)
        remains[np.delete(places, staying)] = False
        candidates = candidates.take(remains)
    return ids
