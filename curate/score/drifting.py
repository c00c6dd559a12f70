"""Whether the labelled documents look like the corpus, and what to sample next if not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate import chance
from curate.embed import Vectors, VectorShard
from curate.engine import in_order
from curate.inference.drift import Drift, drift
from curate.rounds.design import Design, design_rows
from curate.score.labelled import UNKNOWN, Labelled
from curate.warning import StageWarning, warn
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CORPUS = 2_000
"""Documents of the corpus that the labelled ones are compared with, drawn by hash."""

SPARSE = 0.5
"""A source with less than this part of its share among the labels is told."""


@dataclass(frozen=True)
class Drawn:
    """Documents of the corpus drawn by hash, smallest first: ids and vectors.

    `sources` counts all documents by source.
    """

    noise: NDArray[np.float64]
    ids: tuple[str, ...]
    vectors: NDArray[np.float32]
    sources: Counter[str]

    def joined(self, other: Drawn) -> Drawn:
        """The first ones of both."""
        import numpy as np

        noise = np.concatenate([self.noise, other.noise])
        first = np.argsort(noise, kind="stable")[:CORPUS]
        ids = (*self.ids, *other.ids)
        vectors = np.concatenate([self.vectors, other.vectors])[first]
        kept = tuple(ids[row] for row in first.tolist())
        return Drawn(noise[first], kept, vectors, self.sources + other.sources)


@dataclass(frozen=True)
class Draw:
    """Draws documents of a shard that people could be asked about: kept, and not held out."""

    seed: int

    def __call__(self, shard: VectorShard) -> Drawn:
        """Those of the smallest hashes."""
        import numpy as np

        table = shard.documents.read(["id", "source", "holdout"])
        open_rows = np.flatnonzero(~table["holdout"].to_numpy())
        table = table.take(open_rows)
        noise = chance.uniform(table["id"].to_pylist(), self.seed, "drift")
        first = np.argsort(noise, kind="stable")[:CORPUS]
        ids = tuple(table["id"].take(first).to_pylist())
        counts = table["source"].fill_null(UNKNOWN).value_counts().to_pylist()
        sources = Counter({row["values"]: row["counts"] for row in counts})
        return Drawn(noise[first], ids, shard.means(open_rows[first]), sources)


@dataclass(frozen=True)
class Looked:
    """The comparison, None where too little is known, and sources with few labels."""

    drift: Drift | None
    sparse: Mapping[str, float]

    def warnings(self) -> Iterator[StageWarning]:
        """Yield a warning if labelled documents do not look like the corpus."""
        if self.drift is None or not self.drift.is_told:
            return
        words = (
            "the labelled texts do not look like the corpus (p = {p_value:.2g}; a classifier tells "
            "them apart with an AUC of {auc:.2f}): {then}"
        )
        then = "sample more texts at random"
        if self.sparse:
            then = f"sample more of {', '.join(self.sparse)}"
        yield warn(
            "score.drift",
            words,
            p_value=self.drift.p_value,
            auc=self.drift.auc,
            then=then,
            labelled=self.drift.labelled,
            sources=dict(self.sparse),
        )


def look(
    workspace: Workspace, labelled: Labelled, embedded: Mapping[str, Vectors], seed: int
) -> Looked:
    """Compare the labelled documents that rounds drew by chance with documents of the corpus."""
    import numpy as np

    design = design_rows(workspace.rounds.all(), set(labelled.ids))
    if not embedded or not design.has_random_rows:
        return Looked(None, {})
    shards = next(iter(embedded.values())).shards(workspace)
    corpus = Drawn(np.zeros(0), (), np.zeros((0, shards[0].dimension), np.float32), Counter())
    with workspace.watch("comparing labels with the corpus", len(shards)) as advance:
        for part in in_order(workspace.engine.each(Draw(seed), shards)):
            corpus = corpus.joined(part)
            advance(1)
    vectors = np.zeros((len(labelled.ids), shards[0].dimension), np.float32)
    for place in np.unique(labelled.shards).tolist():
        own = labelled.in_shard(place)
        vectors[own] = shards[place].means(labelled.rows[own])
    row_of = labelled.row_of()
    rows = np.array([row_of[id] for id in design.ids], np.int64)
    compared = drift(
        design.ids, vectors[rows], design.weights, corpus.ids, corpus.vectors, seed=seed
    )
    return Looked(compared, _sparse(design, labelled.groups["source"][rows], corpus.sources))


def _sparse(design: Design, sources: NDArray[np.str_], corpus: Counter[str]) -> dict[str, float]:
    """Sources with few labels, by their part of the share that they should have."""
    total, weights = corpus.total(), design.weights / design.weights.sum()
    parts = {
        name: float(weights[sources == name].sum()) / (count / total)
        for name, count in corpus.items()
    }
    return {
        name: part for name, part in sorted(parts.items(), key=lambda own: own[1]) if part < SPARSE
    }
