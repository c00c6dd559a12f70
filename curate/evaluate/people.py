"""Predictions against people: how often the heads agree with settled labels."""

from __future__ import annotations

import json

from curate.metrics import Classification, classification
from curate.workspace import Workspace


def against_people(workspace: Workspace) -> tuple[str | None, Classification | None]:
    """The question, and the metrics of its out-of-fold predictions against people's posteriors.

    Both are None without scores or labels.
    """
    import numpy as np

    if not (workspace.tables.stored("scores") and workspace.tables.stored("labels")):
        return None, None
    facts = workspace.tables.made("scores").facts
    question, values = facts["question"], facts["values"]
    columns = [f"{question}:{value}" for value in values]
    table = workspace.tables.read("scores", ["id", "out_of_fold", *columns])
    scores = table.filter(table["out_of_fold"]).to_pandas().set_index("id")[columns]
    posteriors = {
        row["id"]: json.loads(row["posterior"])
        for row in workspace.tables.read("labels").to_pylist()
        if row["question"] == question and row["id"] in scores.index
    }
    truth = np.array(
        [[posterior.get(value, 0.0) for value in values] for posterior in posteriors.values()]
    )
    truth /= truth.sum(axis=1, keepdims=True)
    predicted = scores.loc[list(posteriors)].to_numpy()
    return question, classification(truth, predicted, values)
