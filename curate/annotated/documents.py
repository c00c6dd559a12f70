"""Labelled documents beside what is predicted of them: all that estimates of a mixture stand on.

A prediction of a labelled document in `scores` comes from heads that never saw its label. So these
documents are predicted, and drawn by their predictions, as unlabelled ones are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.annotated.answers import Answers, answers_of, estimable
from curate.annotated.qualities import answered_together, quality_of, quality_truth
from curate.annotated.truth import Truth, with_head
from curate.rounds import Round
from curate.rounds.design import Design, design_rows
from curate.workspace import Workspace
from curate.workspace.predictions import predicted_questions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

QUALITY = "quality"
"""The column of scores."""


@dataclass(frozen=True)
class LabelledDocuments:
    """Documents that chance drew and people answered, sorted as their rounds drew them.

    truth: what people said, with its variance given their votes. predicted: the same out of fold.
    weights: the documents that each stands for. Truth and predictions are documents x `values` for
    a question, one number a document for quality (`values` is empty).
    """

    ids: tuple[str, ...]
    values: tuple[str, ...]
    truth: Truth
    predicted: Array
    weights: Array

    def at(self, rows: Sequence[int]) -> LabelledDocuments:
        """Those of some rows."""
        import numpy as np

        own = np.asarray(rows, np.int64)
        ids = tuple(self.ids[row] for row in own.tolist())
        return LabelledDocuments(
            ids, self.values, self.truth.at(own), self.predicted[own], self.weights[own]
        )


@dataclass(frozen=True)
class Annotated:
    """The labelled documents of each question by its name, and those with a quality.

    A question without such documents is not there; `quality` is None without any.
    """

    questions: Mapping[str, LabelledDocuments]
    quality: LabelledDocuments | None


def labelled_documents(workspace: Workspace) -> Annotated:
    """Read the labelled documents of every predicted question, and their quality.

    Only documents that can be mixed count: kept, outside the holdout, and with tokens. Scores have
    to fit the labels (`freshness.fits`): else predictions are of other labels, and not out of fold.
    """
    labels, rounds = workspace.tables.read("labels"), workspace.rounds.all()
    learned = predicted_questions(workspace.tables)
    asked = estimable(workspace.rounds.questions())
    answers = {
        question.name: answers_of(question, labels)
        for question in asked
        if question.name in learned
    }
    columns = [column for name in answers for column in learned[name].columns]
    foreseen = _foreseen(workspace, (id for own in answers.values() for id in own.ids), columns)
    answers = {name: own.only(foreseen.rows) for name, own in answers.items()}
    questions = {name: _of_question(own, rounds, foreseen) for name, own in answers.items()}
    return Annotated(
        {name: own for name, own in questions.items() if own.ids},
        _of_quality(workspace, answers, rounds, foreseen),
    )


@dataclass(frozen=True)
class _Foreseen:
    """Predictions of labelled documents: the row of each, and the columns of scores."""

    rows: Mapping[str, int]
    columns: Mapping[str, Array]

    def of(self, name: str, ids: Sequence[str]) -> Array:
        """A column for these documents; an unknown prediction is the mean of all, else 0."""
        import numpy as np

        column = self.columns.get(name, np.zeros(len(self.rows)))
        own = column[[self.rows[id] for id in ids]]
        known = column[~np.isnan(column)]
        return np.where(np.isnan(own), known.mean() if len(known) else 0.0, own)


def _foreseen(workspace: Workspace, ids: Iterable[str], columns: Sequence[str]) -> _Foreseen:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    names = [*columns, QUALITY]
    wanted = ["id", "holdout", "tokens", *names]
    parts = list(workspace.documents.lookup(ids, wanted, scores=True))
    if not parts:
        return _Foreseen({}, {})
    table = pa.concat_tables(parts)
    mixable = pc.and_(pc.invert(table["holdout"]), pc.greater(table["tokens"], 0))
    table = table.filter(mixable)
    own = {name: table[name].to_numpy().astype(np.float64) for name in names}
    return _Foreseen({id: row for row, id in enumerate(table["id"].to_pylist())}, own)


def _of_question(
    answers: Answers, rounds: Sequence[Round], foreseen: _Foreseen
) -> LabelledDocuments:
    import numpy as np

    name = answers.question.name
    columns = [foreseen.of(f"{name}:{value}", answers.ids) for value in answers.values]
    predicted = np.stack(columns, axis=1)
    ids, weights = _drawn(design_rows(rounds, answers.windows), answers.ids)
    rows = answers.rows(ids)
    truth = with_head(answers, predicted).at(rows)
    return LabelledDocuments(ids, answers.values, truth, predicted[rows], weights)


def _of_quality(
    workspace: Workspace,
    answers: Mapping[str, Answers],
    rounds: Sequence[Round],
    foreseen: _Foreseen,
) -> LabelledDocuments | None:
    import numpy as np

    quality = quality_of(workspace, answers)
    if quality is None:
        return None
    read = {name: answers[name] for name in quality.questions}
    known = set(foreseen.rows).intersection(*(own.ids for own in read.values()))
    together = answered_together([*read.values()])
    ids, weights = _drawn(design_rows(rounds, together), known)
    if not ids:
        return None
    truth = quality_truth(quality, read, ids)
    return LabelledDocuments(ids, (), truth, foreseen.of(QUALITY, ids), np.asarray(weights))


def _drawn(design: Design, known: Iterable[str]) -> tuple[tuple[str, ...], Array]:
    """The documents of a design that are known, and their weights."""
    of_interest = set(known)
    rows = [row for row, id in enumerate(design.ids) if id in of_interest]
    return tuple(design.ids[row] for row in rows), design.weights[rows]
