"""The labels that heads learn from: which, how settled, in which fold."""

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
    rows = workspace.read("labels", ["id", "question", "posterior"]).to_pylist()
    return {r["id"]: json.loads(r["posterior"]) for r in rows if r["question"] == question.name}


def held_out(workspace: Workspace) -> set[str]:
    """Return the documents kept to measure on: a label that was brought in teaches nothing."""
    pool = workspace.read("pool", ["id", "holdout"])
    return set(pool.filter(pool["holdout"])["id"].to_pylist())


def labelled_rows(
    ids: list[str], posteriors: dict[str, dict[str, float]], question: Question
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the rows of labelled documents and their posteriors, documents x values."""
    import numpy as np

    # An answer that the form no longer offers teaches nothing.
    able = {id for id, each in posteriors.items() if any(each.get(v, 0) for v in question.labels)}
    rows = [row for row, id in enumerate(ids) if id in able]
    if len(rows) < MIN_LABELS:
        raise DataError(
            f"{len(rows)} labelled documents are too few to learn from",
            hint=f"label at least {MIN_LABELS}",
        )
    known = [posteriors[ids[row]] for row in rows]
    truth = np.array([[each.get(value, 0.0) for value in question.labels] for each in known])
    truth /= truth.sum(axis=1, keepdims=True)
    if len(set(truth.argmax(axis=1).tolist())) < 2:
        raise DataError(
            f"all labels of {question.name} are the same: there is nothing to learn",
            hint="label more texts, or chosen otherwise",
        )
    return np.array(rows, np.int64), truth


def assign_folds(ids: list[str], spec: ScoreSpec) -> NDArray[np.int64]:
    import numpy as np

    order = np.argsort(chance.uniform(ids, spec.seed, "fold"))
    folds = np.empty(len(ids), np.int64)
    folds[order] = np.arange(len(ids)) % spec.folds
    return folds
