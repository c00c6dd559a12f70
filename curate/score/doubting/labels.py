"""Doubtful choices, ratings and sets of labels: heads or neighbours contradict them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from curate.heads.doubting import Doubts, doubt_choices, doubt_ratings, doubt_several
from curate.records import Question
from curate.score.doubting.ranking import Doubtful, DoubtfulLabel, ranked
from curate.score.labelled import Labelled
from curate.score.learning import Model, Vectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PRESENT = 1
"""The place of `present` among the values of a part."""


def doubtful_labels(
    models: Sequence[Model], asked: Iterable[Question], labelled: Labelled, vectors: Vectors
) -> Doubtful:
    """Rank the settled labels of documents by how doubtful they are; comparisons are left out.

    The parts of one of the questions `asked` (whether each label occurs) are one label of a text.
    """
    whole_of = {part.name: question for question in asked for part in question.parts()}
    of_documents = [model for model in models if model.labels.is_of_documents]
    parts: dict[str, list[Model]] = {}
    for model in of_documents:
        if model.name in whole_of:
            parts.setdefault(whole_of[model.name].name, []).append(model)
    alone = [model for model in of_documents if model.name not in whole_of]
    return ranked(
        [
            *(_of_one(model, labelled, vectors) for model in alone),
            *(_of_several(name, own, labelled, vectors) for name, own in parts.items()),
        ]
    )


def _doubts(model: Model, vectors: Vectors) -> Doubts:
    """The doubts about the settled labels, in their order."""
    import numpy as np

    own = model.labels
    settled = np.flatnonzero(own.settled)
    truth, predicted = own.truth[settled], model.out_of_fold.probabilities[settled]
    name = model.learned.encoder or next(iter(vectors), None)
    near = None if name is None else vectors[name][own.members[settled, 0]]
    if own.question.kind == "rating":
        levels = [float(value) for value in own.values]
        return doubt_ratings(levels, truth, predicted, near)
    return doubt_choices(truth, predicted, near)


# ── one value


def _of_one(model: Model, labelled: Labelled, vectors: Vectors) -> Doubtful:
    import numpy as np

    own, doubts = model.labels, _doubts(model, vectors)
    labels = [
        DoubtfulLabel(
            id=labelled.ids[own.members[row, 0]],
            question=model.name,
            value=_json(_value(model, own.truth[row])),
            predicted=_json(_foreseen(model, doubts.predicted[place])),
            doubt=float(doubts.doubt[place]),
            why=doubts.why(place),
        )
        for place, row in enumerate(np.flatnonzero(own.settled).tolist())
    ]
    return Doubtful(tuple(labels), doubts.number)


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


# ── several labels


def _of_several(
    question: str, models: Sequence[Model], labelled: Labelled, vectors: Vectors
) -> Doubtful:
    """One label for each text: the list of those learned labels that are present.

    A label that people left undecided for a text is in neither of its lists.
    """
    import numpy as np

    documents = np.unique(np.concatenate([_documents(model) for model in models]))
    known = np.zeros((len(documents), len(models)), bool)
    present = known.copy()
    parts = []
    for column, model in enumerate(models):
        rows = np.searchsorted(documents, _documents(model))
        truth = model.labels.truth[model.labels.settled]
        known[rows, column] = True
        present[rows, column] = truth.argmax(axis=1) == PRESENT
        parts.append(_doubts(model, vectors).spread(rows, len(documents)))
    doubts = doubt_several(parts, present)
    foreseen = (doubts.predicted == PRESENT) & known
    names = [model.name.removeprefix(f"{question}:") for model in models]
    labels = [
        DoubtfulLabel(
            id=labelled.ids[document],
            question=question,
            value=_json(_chosen(names, present[row])),
            predicted=_json(_chosen(names, foreseen[row])),
            doubt=float(doubts.doubt[row]),
            why=doubts.why(row),
        )
        for row, document in enumerate(documents.tolist())
    ]
    return Doubtful(tuple(labels), doubts.number)


def _documents(model: Model) -> NDArray[np.int64]:
    """The rows of the labelled documents whose label is settled."""
    own: NDArray[np.int64] = model.labels.members[model.labels.settled, 0]
    return own


def _chosen(names: Sequence[str], chosen: NDArray[np.bool_]) -> list[str]:
    return [name for name, is_chosen in zip(names, chosen.tolist(), strict=True) if is_chosen]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
