"""What calibrated probabilities foresee of the classes of what is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.mix.keys import is_question
from curate.mix.places import Candidates, Place
from curate.mixture.groups import Groups, Values

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Classes:
    """The classes that make groups: each a value of every question among the keys.

    `questions` are these keys, `classes` their values together, in the order in which groups have
    them. `origins` is the number of combinations of values, merged or not.
    """

    questions: tuple[str, ...]
    classes: tuple[Values, ...]
    origins: int

    @staticmethod
    def of(keys: Sequence[str], groups: Groups) -> Classes:
        """Those of all groups."""
        places = [place for place, key in enumerate(keys) if is_question(key)]
        classes = [tuple(values[place] for place in places) for values in groups.origins]
        own = tuple(dict.fromkeys(classes)) if places else ()
        return Classes(tuple(keys[place] for place in places), own, len(groups.origins))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that hold their probabilities, if a question has one of that value."""
        names = (
            f"{question}:{value}"
            for values in self.classes
            for question, value in zip(self.questions, values, strict=True)
        )
        return tuple(dict.fromkeys(names))

    def foreseen(self, place: Place, candidates: Candidates, taken: NDArray[np.int64]) -> Array:
        """The tokens of each class that are foreseen among those taken: classes x origins.

        `taken` are the tokens taken of each candidate. Nothing is foreseen to be undecided.
        """
        import numpy as np

        sums = np.zeros((len(self.classes), self.origins))
        rows = np.flatnonzero(taken) if self.classes else taken[:0]
        origins = candidates.origins(rows)
        for number, values in enumerate(self.classes):
            mass = taken[rows].astype(np.float64)
            for question, value in zip(self.questions, values, strict=True):
                column = f"{question}:{value}"
                is_known = column in candidates.table.column_names
                mass = mass * (candidates.table[column].to_numpy()[rows] if is_known else 0.0)
            sums[number] = np.bincount(origins, mass, self.origins)
        return sums


def expected_by_group(
    keys: Sequence[str], groups: Groups, classes: Classes, foreseen: Array
) -> Array | None:
    """The tokens that are foreseen of each group's class; None where no question makes groups.

    The other keys of a group (its source, say) are known: only documents with the same values
    count. The groups that are merged have the sum of theirs.
    """
    import numpy as np

    if not classes.classes:
        return None
    is_class = [is_question(key) for key in keys]
    others = [_part(values, is_class, wanted=False) for values in groups.origins]
    numbers = {values: number for number, values in enumerate(dict.fromkeys(others))}
    other_of = np.array([numbers[values] for values in others])
    by_other = np.stack([np.bincount(other_of, row, len(numbers)) for row in foreseen])
    expected = np.zeros(len(groups.names))
    class_of = {values: number for number, values in enumerate(classes.classes)}
    for origin, values in enumerate(groups.origins):
        number = class_of[_part(values, is_class, wanted=True)]
        expected[groups.number_of_origin[origin]] += by_other[number, other_of[origin]]
    return expected


def _part(values: Values, is_class: Sequence[bool], *, wanted: bool) -> Values:
    return tuple(value for value, own in zip(values, is_class, strict=True) if own == wanted)
