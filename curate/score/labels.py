"""The labels that heads learn from: their documents, posteriors and folds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate import chance
from curate.errors import NothingToDo
from curate.records import Question
from curate.score.spec import ScoreSpec
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard
from curate.workspace.index import find_rows, keys_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MIN_LABELS = 10

Posteriors = dict[str, dict[str, float]]
"""The posterior (value → probability) of each labelled document, by id."""


@dataclass(frozen=True)
class Labels:
    """The kept documents that heads learn from, in pool order.

    Each stands in a shard (by its place) at a row among the kept ones. `truth` holds posteriors,
    documents x values. `lost` counts labelled documents that `clean` has dropped.
    """

    ids: list[str]
    shards: NDArray[np.int64]
    rows: NDArray[np.int64]
    truth: NDArray[np.float64]
    lost: int

    def by_shard(self) -> dict[int, NDArray[np.int64]]:
        """The rows in each shard that has any, in pool order."""
        import numpy as np

        return {place: self.rows[self.shards == place] for place in np.unique(self.shards).tolist()}


def read_labels(workspace: Workspace, question: Question) -> Labels:
    """Look up the documents with a label of a question; those of the holdout are left out.

    Raises NothingToDo if there are fewer than 10, or if all labels are the same.
    """
    import numpy as np
    import pyarrow as pa

    posteriors = read_posteriors(workspace, question)
    keys = keys_of(pa.array(list(posteriors), pa.string()))
    labelled = [
        (id, place, row, holdout)
        for place, shard in enumerate(workspace.documents.shards())
        for id, row, holdout in _find(shard, keys)
        if id in posteriors
    ]
    held_out = sum(holdout for *_, holdout in labelled)
    kept = [(id, place, row) for id, place, row, holdout in labelled if not holdout and row >= 0]
    # A value that the form no longer offers cannot be learned.
    learnable = [
        document for document in kept if any(map(posteriors[document[0]].get, question.labels))
    ]
    truth = _truth([posteriors[id] for id, *_ in learnable], question)
    return Labels(
        ids=[id for id, *_ in learnable],
        shards=np.array([place for _, place, _ in learnable], np.int64),
        rows=np.array([row for *_, row in learnable], np.int64),
        truth=truth,
        lost=len(posteriors) - held_out - len(kept),
    )


def read_posteriors(workspace: Workspace, question: Question) -> Posteriors:
    """Return the posteriors of a question's labels, by document."""
    import pyarrow.compute as pc

    labels = workspace.tables.read("labels", ["id", "question", "posterior"])
    labels = labels.filter(pc.equal(labels["question"], question.name))
    posteriors = map(dict, labels["posterior"].to_pylist())
    return dict(zip(labels["id"].to_pylist(), posteriors, strict=True))


def _find(shard: DocumentShard, keys: NDArray[np.uint64]) -> Iterator[tuple[str, int, bool]]:
    """Yield id, row among the kept (-1 if dropped) and holdout of documents that may have a key."""
    import numpy as np

    rows = find_rows(shard.clean, keys)
    if not len(rows):
        return
    table = shard.read(["id", "kept", "holdout"], dropped=True)
    kept = table["kept"].to_numpy()
    places = np.where(kept, np.cumsum(kept) - 1, -1)[rows]
    documents = table.select(["id", "holdout"]).take(rows)
    columns = (documents["id"].to_pylist(), places.tolist(), documents["holdout"].to_pylist())
    yield from zip(*columns, strict=True)


def _truth(posteriors: list[dict[str, float]], question: Question) -> NDArray[np.float64]:
    """The posteriors as an array, documents x values. Raises NothingToDo if they teach none."""
    import numpy as np

    if len(posteriors) < MIN_LABELS:
        raise NothingToDo(
            f"{len(posteriors)} labelled documents are too few to learn from",
            hint=f"label at least {MIN_LABELS}",
        )
    truth = np.array(
        [[posterior.get(value, 0.0) for value in question.labels] for posterior in posteriors]
    )
    truth /= truth.sum(axis=1, keepdims=True)
    if len(set(truth.argmax(axis=1).tolist())) < 2:
        raise NothingToDo(
            f"all labels of {question.name} are the same: there is nothing to learn",
            hint="label more texts, or chosen otherwise",
        )
    return truth


def assign_folds(ids: list[str], spec: ScoreSpec) -> NDArray[np.int64]:
    """Return the fold of each id, 0 to `spec.folds` - 1: random folds of about equal size."""
    import numpy as np

    order = np.argsort(chance.uniform(ids, spec.seed, "fold"))
    folds = np.empty(len(ids), np.int64)
    folds[order] = np.arange(len(ids)) % spec.folds
    return folds
