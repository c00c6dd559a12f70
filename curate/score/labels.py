"""The labels that heads learn from: their documents, posteriors and folds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate import chance
from curate.errors import NothingToDo
from curate.metrics import SAME, leaders
from curate.records import Question
from curate.score.spec import ScoreSpec
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard
from curate.workspace.index import find_rows, keys_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MIN_LABELS = 10

MOSTLY = 0.5
"""A document is learned from if more of its posterior than this is on values still offered."""


@dataclass(frozen=True)
class Answered:
    """What people answered about a document: a posterior (value → probability).

    It is not `settled` where people left the answer undecided.
    """

    posterior: dict[str, float]
    settled: bool

    def offered(self, question: Question) -> float:
        """The probability of all values that the form still offers."""
        return sum(self.posterior.get(value, 0.0) for value in question.labels)

    def settles(self, question: Question) -> bool:
        """Whether it is settled, on a value that the form still offers."""
        best = max(self.posterior.values())
        return self.settled and any(
            self.posterior.get(value, 0.0) > best - SAME for value in question.labels
        )


@dataclass(frozen=True)
class Labels:
    """The kept documents that heads learn from, in pool order.

    Each stands in a shard (by its place) at a row among the kept ones. `truth` holds posteriors,
    documents x values. Documents that are not `settled` count by their posterior alone. `lost`
    counts labelled documents that `clean` has dropped.
    """

    ids: list[str]
    shards: NDArray[np.int64]
    rows: NDArray[np.int64]
    truth: NDArray[np.float64]
    settled: NDArray[np.bool_]
    lost: int

    def by_shard(self) -> dict[int, NDArray[np.int64]]:
        """The rows in each shard that has any, in pool order."""
        import numpy as np

        return {place: self.rows[self.shards == place] for place in np.unique(self.shards).tolist()}


def read_labels(workspace: Workspace, question: Question) -> Labels:
    """Look up the documents with a label of a question; those of the holdout are left out.

    Raises NothingToDo if fewer than 10 are settled, or if all of these are the same.
    """
    import numpy as np
    import pyarrow as pa

    answered = read_answered(workspace, question)
    keys = keys_of(pa.array(list(answered), pa.string()))
    labelled = [
        (id, place, row, holdout)
        for place, shard in enumerate(workspace.documents.shards())
        for id, row, holdout in _find(shard, keys)
        if id in answered
    ]
    held_out = sum(holdout for *_, holdout in labelled)
    kept = [(id, place, row) for id, place, row, holdout in labelled if not holdout and row >= 0]
    learnable = [row for row in kept if answered[row[0]].offered(question) > MOSTLY]
    settled = np.array([answered[id].settles(question) for id, *_ in learnable], bool)
    truth = _truth([answered[id].posterior for id, *_ in learnable], question)
    lost = len(answered) - held_out - len(kept)
    unfit = {
        "dropped by `clean`": lost,
        "held out": held_out,
        "of values that the form offers no more": len(kept) - len(learnable),
        "undecided": int((~settled).sum()),
    }
    _refuse_uninformative(truth[settled], question, unfit)
    return Labels(
        ids=[id for id, *_ in learnable],
        shards=np.array([place for _, place, _ in learnable], np.int64),
        rows=np.array([row for *_, row in learnable], np.int64),
        truth=truth,
        settled=settled,
        lost=lost,
    )


def read_answered(workspace: Workspace, question: Question) -> dict[str, Answered]:
    """What people answered to a question, by document.

    Whether a label occurs is learned from texts that people saw whole. Windows would teach of those
    texts alone that have it.
    """
    import pyarrow.compute as pc

    labels = workspace.tables.read("labels")
    labels = labels.filter(pc.equal(labels["question"], question.name))
    if question.is_part:
        labels = labels.filter(pc.is_null(labels["start"]))
    names = ("id", "posterior", "undecided")
    rows = zip(*(labels[name].to_pylist() for name in names), strict=True)
    return {id: Answered(dict(posterior), not undecided) for id, posterior, undecided in rows}


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
    """The posteriors as an array, documents x values."""
    import numpy as np

    values = question.labels
    rows = [[posterior.get(value, 0.0) for value in values] for posterior in posteriors]
    truth = np.array(rows, np.float64).reshape(-1, len(values))
    return np.asarray(truth / truth.sum(axis=1, keepdims=True))


def _refuse_uninformative(
    settled: NDArray[np.float64], question: Question, unfit: Mapping[str, int]
) -> None:
    """Raise NothingToDo if settled labels, documents x values, teach nothing.

    `unfit` counts the other labelled documents, by what keeps them from being learned.
    """
    import numpy as np

    if len(settled) < MIN_LABELS:
        raise NothingToDo(
            f"{len(settled)} labelled documents are too few to learn from{_besides(unfit)}",
            hint=f"label at least {MIN_LABELS}"
            + (", and show each text whole, not a window of it" if question.is_part else ""),
        )
    if len(np.unique(leaders(settled), axis=0)) < 2:
        raise NothingToDo(
            f"all labels of {question.name} are the same: there is nothing to learn",
            hint="label more texts, or chosen otherwise",
        )


def _besides(unfit: Mapping[str, int]) -> str:
    """What else is labelled, in words."""
    counts = ", ".join(f"{count:,} {why}" for why, count in unfit.items() if count)
    return f" (not counted: {counts})" if counts else ""


def assign_folds(ids: list[str], spec: ScoreSpec) -> NDArray[np.int64]:
    """Return the fold of each id, 0 to `spec.folds` - 1: random folds of about equal size."""
    import numpy as np

    order = np.argsort(chance.uniform(ids, spec.seed, "fold"))
    folds = np.empty(len(ids), np.int64)
    folds[order] = np.arange(len(ids)) % spec.folds
    return folds
