"""The labels that heads learn from: their documents, posteriors and folds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from curate import chance
from curate.errors import DataError
from curate.records import Question
from curate.score.spec import ScoreSpec
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MIN_LABELS = 10


def read_posteriors(workspace: Workspace, question: Question) -> dict[str, dict[str, float]]:
    """Return the posterior (value → probability) of each labelled document, by id."""
    rows = workspace.tables.read("labels", ["id", "question", "posterior"]).to_pylist()
    return {
        row["id"]: json.loads(row["posterior"]) for row in rows if row["question"] == question.name
    }


def held_out(workspace: Workspace) -> set[str]:
    """Return the ids of the holdout, to measure on: its labels are not learned from."""
    pool = workspace.tables.read("pool", ["id", "holdout"])
    return set(pool.filter(pool["holdout"])["id"].to_pylist())


def labelled_rows(
    ids: list[str], posteriors: dict[str, dict[str, float]], question: Question
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the rows of labelled documents and their posteriors (documents x values).

    Raises DataError if there are fewer than 10, or if all labels are the same.
    """
    import numpy as np

    # A value that the form no longer offers cannot be learned.
    learnable = {
        id
        for id, posterior in posteriors.items()
        if any(posterior.get(value, 0) for value in question.labels)
    }
    rows = [row for row, id in enumerate(ids) if id in learnable]
    if len(rows) < MIN_LABELS:
        raise DataError(
            f"{len(rows)} labelled documents are too few to learn from",
            hint=f"label at least {MIN_LABELS}",
        )
    truth = np.array(
        [[posteriors[ids[row]].get(value, 0.0) for value in question.labels] for row in rows]
    )
    truth /= truth.sum(axis=1, keepdims=True)
    if len(set(truth.argmax(axis=1).tolist())) < 2:
        raise DataError(
            f"all labels of {question.name} are the same: there is nothing to learn",
            hint="label more texts, or chosen otherwise",
        )
    return np.array(rows, np.int64), truth


def assign_folds(ids: list[str], spec: ScoreSpec) -> NDArray[np.int64]:
    """Return the fold of each id, 0 to `spec.folds` - 1: random folds of about equal size."""
    import numpy as np

    order = np.argsort(chance.uniform(ids, spec.seed, "fold"))
    folds = np.empty(len(ids), np.int64)
    folds[order] = np.arange(len(ids)) % spec.folds
    return folds
