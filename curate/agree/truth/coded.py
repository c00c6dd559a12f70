"""The answers to a question about categories as integer codes, made once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.agree.truth.truth import Votes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Coded:
    """The last answer of each person about each item, as three arrays of codes of one length.

    A code is a place in `items`, `people` or `values`. `values` are those that somebody gave.
    """

    items: tuple[str, ...]
    people: tuple[str, ...]
    values: tuple[str, ...]
    item: Codes
    person: Codes
    value: Codes

    @staticmethod
    def of(votes: Votes) -> Coded:
        """The codes of (item, annotator, value) votes."""
        last = {(item, person): value for item, person, value in votes}
        items, item = _coded([item for item, _ in last])
        people, person = _coded([person for _, person in last])
        values, value = _coded([*last.values()])
        return Coded(items, people, values, item, person, value)

    @property
    def answers_of(self) -> Codes:
        """The number of answers of each person."""
        import numpy as np

        return np.bincount(self.person, minlength=len(self.people))

    def shares(self, weights: Array | None = None) -> Array:
        """The share of each value in the answers to each item: items x values.

        Answers count by the weight of their person. Where all weights are 0, they count equally.
        """
        import numpy as np

        counts = self._counts(np.ones(len(self.people)))
        if weights is not None:
            weighted = self._counts(weights)
            counts = np.where(weighted.any(axis=1, keepdims=True), weighted, counts)
        return np.asarray(counts / counts.sum(axis=1, keepdims=True))

    def _counts(self, weights: Array) -> Array:
        import numpy as np

        counts = np.zeros((len(self.items), len(self.values)))
        np.add.at(counts, (self.item, self.value), weights[self.person])
        return counts

    def hits(self, leading: NDArray[np.bool_]) -> Array:
        """The number of each person's answers that lead; of t values that tie, each is 1/t."""
        import numpy as np

        credit = leading / leading.sum(axis=1, keepdims=True)
        own = np.bincount(self.person, credit[self.item, self.value], len(self.people))
        return np.asarray(own, np.float64)


def _coded(names: Sequence[str]) -> tuple[tuple[str, ...], Codes]:
    """The distinct names in order of appearance, and the place of each name among them."""
    import numpy as np

    place_of = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return tuple(place_of), np.array([place_of[name] for name in names], np.int64)
