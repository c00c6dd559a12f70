"""One pass over the documents: the size of each group, sums of predictions, the labelled ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.engine import in_order
from curate.mixture.groups import grouped, name_of
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Group:
    """Sums over the documents of a group.

    documents: their number. sums, known: of each prediction that is known, and how many are.
    """

    documents: int
    sums: Array
    known: Array

    def joined(self, other: Group) -> Group:
        """The sums over both."""
        return Group(
            self.documents + other.documents, self.sums + other.sums, self.known + other.known
        )


@dataclass(frozen=True)
class Corpus:
    """The groups by name, and of the labelled documents group and predictions, by id."""

    groups: dict[str, Group]
    group_of: dict[str, str]
    predicted: dict[str, Array]

    @property
    def whole(self) -> Group:
        """The sums over all documents."""
        first, *others = self.groups.values()
        for group in others:
            first = first.joined(group)
        return first


@dataclass(frozen=True)
class Scan:
    """Reads a shard: documents that can be sampled, kept and not held out, grouped by a column.

    `columns` are those of scores whose values are summed; `labelled` the documents to look up.
    """

    by: str
    columns: tuple[str, ...]
    labelled: frozenset[str]

    def __call__(self, shard: DocumentShard) -> Corpus:
        """The sums over a shard, and its labelled documents."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        table = shard.read(["id", "holdout", self.by, *self.columns])
        table = table.filter(pc.invert(table["holdout"]))
        values, numbers = grouped(table, (self.by,))
        names = [name_of(own) for own in values]
        predicted = np.array([table[name].to_numpy() for name in self.columns], np.float64).reshape(
            len(self.columns), table.num_rows
        )
        groups = {
            name: _summed(predicted[:, numbers == number]) for number, name in enumerate(names)
        }
        is_labelled = pc.is_in(table["id"], pa.array(sorted(self.labelled), pa.string()))
        rows = np.flatnonzero(is_labelled.to_numpy())
        ids = table["id"].take(rows).to_pylist()
        return Corpus(
            groups,
            {id: names[numbers[row]] for id, row in zip(ids, rows, strict=True)},
            {id: predicted[:, row] for id, row in zip(ids, rows, strict=True)},
        )


def _summed(predicted: Array) -> Group:
    import numpy as np

    known = ~np.isnan(predicted)
    return Group(predicted.shape[1], np.nansum(predicted, axis=1), known.sum(axis=1).astype(float))


def read_corpus(
    workspace: Workspace, by: str, columns: Sequence[str], labelled: Iterable[str]
) -> Corpus:
    """Fold the documents, shard by shard; memory holds groups and labelled documents alone."""
    scan = Scan(by, tuple(columns), frozenset(labelled))
    shards = workspace.documents.shards(scores=bool(columns))
    whole = Corpus({}, {}, {})
    with workspace.watch("reading documents", len(shards)) as advance:
        for part in in_order(workspace.engine.each(scan, shards)):
            for name, group in part.groups.items():
                before = whole.groups.get(name)
                whole.groups[name] = before.joined(group) if before else group
            whole.group_of.update(part.group_of)
            whole.predicted.update(part.predicted)
            advance(1)
    return whole
