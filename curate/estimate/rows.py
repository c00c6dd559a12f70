"""The rows of each question and of quality, from its labels and the corpus."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.annotated.answers import Answers
from curate.annotated.qualities import answered_together
from curate.estimate.measuring import Part, measured, targets
from curate.estimate.quality import quality_target
from curate.estimate.reading import Corpus, Group
from curate.estimate.results import EstimateRow
from curate.rounds import Round
from curate.rounds.design import Design, design_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from curate.annotated.quality import Quality

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Estimable:
    """A question with its labels, and those of them that stand for the corpus."""

    answers: Answers
    design: Design


def rows_of(
    own: Estimable, corpus: Corpus, columns: Mapping[str, tuple[str, str]]
) -> Iterator[EstimateRow]:
    """The rows of a question; `columns` are those of predictions: column → question and value."""
    answers = own.answers.only(corpus.group_of)
    places = {
        value: place
        for place, (question, value) in enumerate(columns.values())
        if question == answers.question.name
    }
    drawn = _Drawn.of(own.design, corpus)
    rows = answers.rows(drawn.ids)
    parts = _parts(corpus, lambda group: _means_by_value(group, places, answers))
    for target in targets(answers, _predicted(answers.ids, corpus, places)):
        yield from measured(target.at(rows), drawn.weights, drawn.groups, parts)


def rows_of_quality(
    quality: Quality, own: Sequence[Estimable], rounds: Sequence[Round], corpus: Corpus
) -> Iterator[EstimateRow]:
    """The mean quality, from documents with labels of all questions that it reads.

    Its predictions are the last column of the corpus.
    """
    asked = {one.answers.question.name: one.answers for one in own}
    read = {name: asked[name] for name in quality.questions}
    drawn = _Drawn.of(design_rows(rounds, answered_together([*read.values()])), corpus)
    if drawn.ids:
        predicted = _predicted(drawn.ids, corpus, {"": -1})[""]
        target = quality_target(quality, read, drawn.ids, predicted)
        parts = _parts(corpus, lambda group: {"": float(_means(group)[-1])})
        yield from measured(target, drawn.weights, drawn.groups, parts)


@dataclass(frozen=True)
class _Drawn:
    """The rows of a design that are in the corpus: document, weight and group of each."""

    ids: list[str]
    weights: Array
    groups: list[str]

    @staticmethod
    def of(design: Design, corpus: Corpus) -> _Drawn:
        rows = [row for row, id in enumerate(design.ids) if id in corpus.group_of]
        ids = [design.ids[row] for row in rows]
        return _Drawn(ids, design.weights[rows], [corpus.group_of[id] for id in ids])


def _parts(corpus: Corpus, means: Callable[[Group], Mapping[str, float]]) -> list[Part]:
    """The corpus, then its groups by name, with their mean predictions."""
    named = [(None, corpus.whole), *sorted(corpus.groups.items())]
    return [Part(name, group.documents, means(group)) for name, group in named]


def _means_by_value(
    group: Group, places: Mapping[str, int], answers: Answers
) -> Mapping[str, float]:
    """The mean probability of each value; of a rating the mean itself, under an empty name."""
    means = _means(group)
    shares = {
        value: float(means[places[value]]) if value in places else 0.0 for value in answers.values
    }
    if answers.is_rating:
        return {"": sum(float(value) * share for value, share in shares.items())}
    return shares


def _predicted(ids: Sequence[str], corpus: Corpus, places: Mapping[str, int]) -> dict[str, Array]:
    """The predictions of labelled documents, by value; an unknown one is the mean of all."""
    import numpy as np

    if not places:
        return {}
    means = _means(corpus.whole)
    foretold = np.array([corpus.predicted[id] for id in ids]).reshape(len(ids), len(means))
    known = np.where(np.isnan(foretold), means, foretold)
    return {value: known[:, place] for value, place in places.items()}


def _means(group: Group) -> Array:
    import numpy as np

    return np.asarray(group.sums / np.maximum(group.known, 1))
