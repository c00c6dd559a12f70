"""Predictions against people: how often the heads agree with settled labels."""

from __future__ import annotations

import json

from curate.metrics import Classification, classification
from curate.workspace import Workspace


def against_people(workspace: Workspace) -> tuple[str | None, Classification | None]:
    """Return the metrics of predictions out of fold against people's posteriors."""
    import numpy as np

    if not (workspace.stored("scores") and workspace.stored("labels")):
        return None, None
    facts = workspace.made("scores").facts
    question, values = facts["question"], facts["values"]
    columns = [f"{question}:{value}" for value in values]
    table = workspace.read("scores", ["id", "out_of_fold", *columns])
    scores = table.filter(table["out_of_fold"]).to_pandas().set_index("id")[columns]
    labels = {
        row["id"]: json.loads(row["posterior"])
        for row in workspace.read("labels").to_pylist()
        if row["question"] == question and row["id"] in scores.index
    }
    truth = np.array([[each.get(value, 0.0) for value in values] for each in labels.values()])
    truth /= truth.sum(axis=1, keepdims=True)
    predicted = scores.loc[list(labels)].to_numpy()
    return question, classification(truth, predicted, values)
