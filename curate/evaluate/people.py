"""Predictions against people: how often the heads agree with settled labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from curate import tables
from curate.engine import in_order
from curate.metrics import Classification, classification
from curate.workspace import Workspace
from curate.workspace.predictions import Predicted, predicted_questions

if TYPE_CHECKING:
    import pyarrow as pa


def against_people(workspace: Workspace) -> dict[str, Classification | None]:
    """The metrics of each question's out-of-fold predictions against people's posteriors.

    Empty without scores or labels. There are no metrics (None) where no label has a prediction out
    of fold, or where the labels are of values that `score` did not know. Comparisons are left out:
    they say nothing of one document.
    """
    if not (workspace.tables.stored("scores") and workspace.tables.stored("labels")):
        return {}
    return {
        name: _metrics(workspace, own)
        for name, own in predicted_questions(workspace.tables).items()
        if own.makes_groups
    }


def _metrics(workspace: Workspace, asked: Predicted) -> Classification | None:
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
    return classification(truth, shares, values)


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

        scores = pq.read_table(path, columns=["out_of_fold", self.predicted])
        is_labelled = pc.and_(scores["out_of_fold"], scores[self.predicted].is_valid())
        names = list(self.columns)
        if not is_labelled.to_numpy().any():
            return len(is_labelled), pq.read_schema(path).empty_table().select(names)
        return len(is_labelled), pq.read_table(path, columns=names).filter(is_labelled)
