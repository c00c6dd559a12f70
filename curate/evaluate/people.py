"""Predictions against people: how well heads that never saw a label foretell it.

Every kind of question has its measures, each beside the trivial baseline and with its interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import tables
from curate.annotated.spans import Marked, names_of, read_marked, spans_of, tag
from curate.engine import in_order
from curate.heads.tokens import foretell_tokens
from curate.metrics import Classification, classification
from curate.metrics.entities import Spans, of_spans
from curate.metrics.measures import Measure, f1_by_class, of_classes, of_labels, of_ratings
from curate.records import MARKS, Question
from curate.storage import read_parquet
from curate.workspace import Workspace
from curate.workspace.predictions import Predicted, predicted_questions

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class QuestionMeasures:
    """The measures of a question, out of fold on settled labels.

    `of` says what is foretold: `choice`, `rating`, `labels` (several of a text), `spans` or
    `comparisons`. `items` is the number of texts or comparisons, which the intervals draw from.
    """

    of: str
    items: int
    measures: tuple[Measure, ...]


@dataclass(frozen=True)
class AgainstPeople:
    """Predictions out of fold beside people's labels, by question.

    `models` are of the questions that are learned of documents; None where no label has a
    prediction out of fold, or where the labels are of values that `score` did not know. `measured`
    are of every question that could be measured.
    """

    models: dict[str, Classification | None]
    measured: dict[str, QuestionMeasures]


@dataclass(frozen=True)
class Foretold:
    """The labels of a question that have a prediction out of fold: texts x values."""

    asked: Predicted
    ids: tuple[str, ...]
    truth: Array
    predicted: Array


def against_people(workspace: Workspace) -> AgainstPeople:
    """Measure every question's predictions out of fold. Empty without scores or labels."""
    if not (workspace.tables.stored("scores") and workspace.tables.stored("labels")):
        return AgainstPeople({}, {})
    foretold = {
        name: _foretold(workspace, asked)
        for name, asked in predicted_questions(workspace.tables).items()
        if asked.makes_groups
    }
    measured = {name: _measured(own) for name, own in foretold.items() if own and ":" not in name}
    known = {name: own for name, own in foretold.items() if own}
    questions = workspace.rounds.questions()
    return AgainstPeople(
        {name: _classification(own) if own else None for name, own in foretold.items()},
        measured | _several(questions, known) | _spans(workspace) | _comparisons(workspace),
    )


def _classification(own: Foretold) -> Classification:
    """The metrics of a question, with the interval of each class."""
    metrics = classification(own.truth, own.predicted, own.asked.values)
    ends = f1_by_class(own.truth, own.predicted)
    classes = (
        replace(one, f1_low=low, f1_high=high)
        for one, (low, high) in zip(metrics.classes, ends, strict=True)
    )
    return replace(metrics, classes=tuple(classes))


def _measured(own: Foretold) -> QuestionMeasures:
    measures = of_classes(own.truth, own.predicted)
    if own.asked.kind != "rating":
        return QuestionMeasures("choice", len(own.ids), measures)
    levels = [float(value) for value in own.asked.values]
    return QuestionMeasures(
        "rating", len(own.ids), (*of_ratings(own.truth, own.predicted, levels), *measures)
    )


def _several(
    questions: Sequence[Question], foretold: Mapping[str, Foretold]
) -> dict[str, QuestionMeasures]:
    """The questions of several labels, of which it was learned whether each occurs."""
    measured = {}
    for question in questions:
        parts = {
            part.name.removeprefix(f"{question.name}:"): foretold[part.name]
            for part in question.parts()
            if part.name in foretold
        }
        if parts:
            texts = {id for own in parts.values() for id in own.ids}
            labels = {name: (own.ids, own.truth, own.predicted) for name, own in parts.items()}
            name = f"{question.name} (present)" if question.kind in MARKS else question.name
            measured[name] = QuestionMeasures("labels", len(texts), of_labels(labels))
    return measured


def _spans(workspace: Workspace) -> dict[str, QuestionMeasures]:
    """The questions that ask for spans, where enough texts have some."""
    measured = {}
    for question in workspace.rounds.questions():
        if question.kind == "entities":
            _, _, marked = read_marked(workspace, question)
            foretold = foretold_spans(marked)
            if foretold is not None:
                own = [one.spans for one in marked]
                measures = of_spans(own, foretold, names_of(marked))
                measured[question.name] = QuestionMeasures("spans", len(marked), measures)
    return measured


def foretold_spans(marked: Sequence[Marked]) -> list[Spans] | None:
    """The spans of each text by a head of words of other texts; None of too few texts with spans.

    Words of one label side by side are one span, since the head knows no borders.
    """
    names = names_of(marked)
    tagged = [tag(own, names) for own in marked]
    classes = foretell_tokens(tagged, len(names) + 1)
    if classes is None:
        return None
    return [spans_of(own, foretold, names) for own, foretold in zip(tagged, classes, strict=True)]


def _comparisons(workspace: Workspace) -> dict[str, QuestionMeasures]:
    """The comparisons, as `score` measured them: no table holds what was foretold of a pair."""
    made = workspace.tables.made("scores")
    figures: Mapping[str, Mapping[str, Any]] = made.facts.get("figures", {})
    return {
        name: QuestionMeasures(
            "comparisons",
            figures[name]["labels"],
            tuple(Measure(**one) for one in figures[name]["measures"]),
        )
        for name, asked in predicted_questions(workspace.tables).items()
        if not asked.makes_groups and figures.get(name, {}).get("measures")
    }


def _foretold(workspace: Workspace, asked: Predicted) -> Foretold | None:
    import numpy as np

    predicted, values = tables.predicted(asked.question), asked.values
    scores = _out_of_fold(workspace, predicted, asked.columns)
    row_of = {id: row for row, id in enumerate(scores["id"].to_pylist())}
    posteriors = {
        id: posterior
        for id, posterior in _posteriors(workspace, asked.question)
        if id in row_of and any(map(posterior.get, values))
    }
    if not posteriors:
        return None
    truth = np.array(
        [[posterior.get(value, 0.0) for value in values] for posterior in posteriors.values()]
    )
    truth /= truth.sum(axis=1, keepdims=True)
    rows = [row_of[id] for id in posteriors]
    shares = np.stack([column.to_numpy()[rows] for column in scores.columns[1:]], axis=1)
    return Foretold(asked, tuple(posteriors), truth, shares)


def _posteriors(workspace: Workspace, question: str) -> list[tuple[str, Mapping[str, float]]]:
    """The posterior of every label of a question, with its document."""
    labels = workspace.tables.read("labels", ["id", "question", "posterior"])
    return [
        (row["id"], dict(row["posterior"]))
        for row in labels.to_pylist()
        if row["question"] == question
    ]


def _out_of_fold(workspace: Workspace, predicted: str, columns: Sequence[str]) -> pa.Table:
    """Read columns of the labelled documents: by heads that never saw their labels.

    Those without a value in `predicted` are left out: people left them undecided, or settled on a
    value that the form offers no more.
    """
    import pyarrow as pa

    paths = workspace.tables.shards("scores")
    parts: list[pa.Table] = []
    with workspace.watch("reading scores", workspace.tables.rows("scores")) as advance:
        scan = _OutOfFold(predicted, ("id", *columns))
        for rows, part in in_order(workspace.engine.each(scan, paths)):
            parts.append(part)
            advance(rows)
    return pa.concat_tables(parts)


@dataclass(frozen=True)
class _OutOfFold:
    """Reads columns of the labelled documents in a shard of scores, with the number of all rows.

    They have a value in the column `predicted`.
    """

    predicted: str
    columns: tuple[str, ...]

    def __call__(self, path: Path) -> tuple[int, pa.Table]:
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        scores = read_parquet(path, columns=["out_of_fold", self.predicted])
        is_labelled = pc.and_(scores["out_of_fold"], scores[self.predicted].is_valid())
        names = list(self.columns)
        if not is_labelled.to_numpy().any():
            return len(is_labelled), pq.read_schema(path).empty_table().select(names)
        return len(is_labelled), read_parquet(path, columns=names).filter(is_labelled)
