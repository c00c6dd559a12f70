"""The table `doubtful`: every settled label of a learned question, the most doubtful first."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate.heads.doubting import Doubts, doubt_choices, doubt_ratings
from curate.score.labelled import Labelled
from curate.score.learning import Model, Vectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHOWN = 5
"""The labels that are told on the terminal."""


@dataclass(frozen=True)
class DoubtfulLabel:
    """A label that heads and neighbours contradict; `value` and `predicted` are JSON."""

    id: str
    question: str
    value: str
    predicted: str
    doubt: float
    why: str


@dataclass(frozen=True)
class Doubtful:
    """All labels, the most doubtful first, and how many heads and neighbours contradict."""

    labels: tuple[DoubtfulLabel, ...]
    wrong: int

    def rows(self) -> list[Mapping[str, Any]]:
        """The rows of the table `doubtful`."""
        return [{**vars(label), "rank": rank} for rank, label in enumerate(self.labels)]

    def shown(self) -> tuple[DoubtfulLabel, ...]:
        """The first of those that are contradicted."""
        return self.labels[: min(SHOWN, self.wrong)]


def doubtful_labels(models: Sequence[Model], labelled: Labelled, vectors: Vectors) -> Doubtful:
    """Rank the settled labels of documents by how doubtful they are; comparisons are left out."""
    labels, wrong = [], 0
    for model in models:
        if model.labels.is_of_documents:
            doubts, rows = _doubts(model, vectors)
            labels += [_label(model, labelled, doubts, place, row) for place, row in rows]
            wrong += doubts.number
    return Doubtful(tuple(sorted(labels, key=lambda label: (-label.doubt, label.id))), wrong)


def _doubts(model: Model, vectors: Vectors) -> tuple[Doubts, list[tuple[int, int]]]:
    """The doubts about the settled labels; and their places in them, with that of each label."""
    import numpy as np

    own = model.labels
    settled = np.flatnonzero(own.settled)
    truth, predicted = own.truth[settled], model.out_of_fold.probabilities[settled]
    name = model.learned.encoder or next(iter(vectors), None)
    near = None if name is None else vectors[name][own.members[settled, 0]]
    if own.question.kind == "rating":
        levels = [float(value) for value in own.values]
        doubts = doubt_ratings(levels, truth, predicted, near)
    else:
        doubts = doubt_choices(truth, predicted, near)
    return doubts, list(enumerate(settled.tolist()))


def _label(model: Model, labelled: Labelled, doubts: Doubts, place: int, row: int) -> DoubtfulLabel:
    own = model.labels
    return DoubtfulLabel(
        id=labelled.ids[own.members[row, 0]],
        question=model.name,
        value=json.dumps(_value(model, own.truth[row]), ensure_ascii=False),
        predicted=json.dumps(_foreseen(model, doubts.predicted[place]), ensure_ascii=False),
        doubt=float(doubts.doubt[place]),
        why=doubts.why(place),
    )


def _value(model: Model, posterior: NDArray[np.float64]) -> Any:
    """The value of a label: of a rating the mean."""
    import numpy as np

    own = model.labels
    if own.question.kind == "rating":
        return float(posterior @ np.array([float(value) for value in own.values]))
    return own.values[int(posterior.argmax())]


def _foreseen(model: Model, predicted: float) -> Any:
    if model.labels.question.kind == "rating":
        return round(float(predicted), 3)
    return model.labels.values[int(predicted)]
