"""The clusters of a workspace's documents: fitted on a sample, given to every document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from curate import storage
from curate.clusters.k_means import centres, nearest
from curate.clusters.naming import names
from curate.clusters.sampling import Sample
from curate.embed import Vectors, VectorShard, found
from curate.errors import DataError
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FITTED_ON = 50_000
"""The documents that clusters are fitted on at most."""

NAMED_BY = 200
"""The texts that a cluster is named by at most."""

ALL_NAMED_BY = 10_000
"""The texts that all clusters together are named by, about."""

CHUNK = 4096
"""So many documents get their clusters at once, to bound memory."""


@dataclass(frozen=True)
class Clusters:
    """Clusters of the embeddings, the largest first: their centres, names, and the vectors.

    `centres` are clusters x dimension. A name is some words with spaces between them.
    """

    centres: NDArray[np.float32]
    names: tuple[str, ...]
    vectors: Vectors

    def of(self, vectors: NDArray[np.float32]) -> NDArray[np.int64]:
        """The number of the cluster of each vector, an index of `names`."""
        return nearest(vectors, self.centres)

    def assign(
        self, workspace: Workspace, shards: Sequence[DocumentShard], folder: Path
    ) -> list[DocumentShard]:
        """The shards of the documents with a column `cluster`, which holds names.

        It lies in `folder`, a file for each shard, and is read beside the other columns.
        """
        folder.mkdir(parents=True, exist_ok=True)
        items = self.vectors.shards(workspace)
        with workspace.watch("finding clusters", self.vectors.documents) as advance:
            for place, _ in workspace.engine.each(_Assign(self, folder), items):
                advance(items[place].rows())
        return [replace(shard, clusters=folder / shard.name) for shard in shards]


def fit(workspace: Workspace, number: int, seed: int) -> Clusters:
    """Find clusters of the documents by k-means: at most `number`, and fewer of fewer documents.

    They are fitted on at most 50,000 documents outside the holdout, drawn by id. So they do not
    depend on row order or workers. Raises DataError where there are no vectors of the documents as
    they are now.
    """
    import numpy as np

    own = vectors_of(workspace)
    shards = own.shards(workspace)
    with workspace.watch("fitting clusters", None):
        sample = Sample.of(workspace.engine, shards, FITTED_ON, seed)
        if not len(sample.rows):
            raise DataError(
                "no document is left to find clusters of", hint="see the reasons in `clean`"
            )
        vectors = sample.vectors(workspace.engine, shards)
        means = centres(vectors, number, seed)
        cluster = nearest(vectors, means)
        most = max(1, min(NAMED_BY, ALL_NAMED_BY // len(means)))
        members = [np.flatnonzero(cluster == n)[:most] for n in range(len(means))]
        texts = iter(sample.take(np.concatenate(members)).texts(workspace.engine, shards))
        named = names([[next(texts) for _ in places] for places in members])
    return Clusters(means, named, own)


def vectors_of(workspace: Workspace) -> Vectors:
    """The vectors that clusters are made of: those that scores read, else any that are there.

    Raises DataError where there are none of the documents as they are now.
    """
    scores = workspace.tables.record("scores")
    learned = scores.facts.get("questions", {}).values() if scores else ()
    encoders = [about["encoder"] for about in learned if about.get("encoder")]
    folders = sorted((workspace.root / "vectors").glob(f"*/{storage.MANIFEST}"))
    for encoder in dict.fromkeys([*encoders, *(path.parent.name for path in folders)]):
        own = found(workspace, encoder)
        if own is not None:
            return own
    raise DataError(
        "the documents as they are now have no embeddings to find clusters in",
        hint="`curate score` makes them, with `features` that are not `characters`",
    )


@dataclass(frozen=True)
class _Assign:
    clusters: Clusters
    folder: Path

    def __call__(self, shard: VectorShard) -> None:
        """Write the name of the cluster of each kept document of a shard."""
        import numpy as np
        import pyarrow as pa

        parts = [self.clusters.of(means) for means in shard.chunked_means(CHUNK)]
        numbers = np.concatenate([np.zeros(0, np.int64), *parts]).astype(np.int32)
        words = pa.array(self.clusters.names, pa.string())
        column = pa.DictionaryArray.from_arrays(pa.array(numbers), words).cast(pa.string())
        table = pa.table({"id": shard.documents.read(["id"])["id"], "cluster": column})
        storage.write_parquet(self.folder / shard.documents.name, table)
