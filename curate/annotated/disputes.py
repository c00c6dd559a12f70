"""The labels that people disagree on most, from the table `labels`."""

from __future__ import annotations

from typing import Any

from curate.errors import DataError
from curate.workspace import Workspace

COLUMNS = (
    *("id", "question", "value", "posterior", "votes", "disagreement", "undecided"),
    *("start", "end"),
)


def disputed(workspace: Workspace) -> list[dict[str, Any]]:
    """The rows of `labels` that people disagree on, most disputed first.

    The mean distance of two answers comes first, then the number of answers. Whether one label of
    a question occurs is part of that question. Raises MissingInput without labels, and DataError
    for labels of an older version, which do not say how far people differ.
    """
    labels = workspace.tables.read("labels")
    if "disagreement" not in labels.column_names:
        raise DataError(
            "labels has the columns of an older version", hint="run `curate agree` again"
        )
    rows = labels.select(COLUMNS).to_pylist()
    own = [row for row in rows if row["disagreement"] and ":" not in row["question"]]
    return sorted(own, key=lambda row: (-row["disagreement"], -row["votes"], row["id"]))
