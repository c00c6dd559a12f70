"""Predictions for every kept document, shard by shard, from what was learned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage, tables
from curate.embed import VectorShard
from curate.score.calibration import softmax
from curate.score.learning import Learned, Predictions
from curate.score.quality import spread

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class ShardToScore:
    """The vectors of a shard, and its labelled documents.

    These have their rows, their predictions, and whether people settled their labels.
    """

    vectors: VectorShard
    labelled: NDArray[np.int64]
    predictions: Predictions
    settled: NDArray[np.bool_]


@dataclass(frozen=True)
class Predict:
    """Writes the scores of a shard into a folder, unless they are there."""

    folder: Path
    learned: Learned

    def __call__(self, shard: ShardToScore) -> tuple[int, float]:
        """Write them; the number of documents and the sum of their qualities."""
        import numpy as np
        import pyarrow.parquet as pq

        path = self.folder / shard.vectors.documents.name
        if not path.exists():
            storage.write_parquet(path, self._table(shard))
        quality = pq.read_table(path, columns=["quality"])["quality"]
        return len(quality), float(np.sum(quality.drop_null().to_numpy()))

    def _table(self, shard: ShardToScore) -> pa.Table:
        import numpy as np

        ids = shard.vectors.documents.read(["id"])["id"]
        predictions = predict_shard(self.learned, shard.vectors)
        predictions.put(shard.labelled, shard.predictions)
        is_labelled = np.zeros(len(ids), bool)
        is_labelled[shard.labelled] = True
        undecided = shard.labelled[~shard.settled]
        return _table(ids, is_labelled, undecided, predictions, self.learned)


def predict_shard(learned: Learned, shard: VectorShard) -> Predictions:
    """Return the predictions of all heads for a shard, as if no document had a label."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    rows, stacked = shard.rows(), Stacked.of(learned)
    quality = None if learned.quality is None else np.empty((3, rows))
    predictions = Predictions(np.empty((rows, len(learned.values))), quality)
    with threadpool_limits(1):  # on small matrices threads only wait for each other
        for own, vectors in shard.batches():
            predictions.put(own, stacked.predict(vectors))
    return predictions


@dataclass(frozen=True)
class Stacked:
    """The weights of all heads side by side, for vectors as they are: one product for a block."""

    learned: Learned
    weights: Array
    bias: Array

    @classmethod
    def of(cls, learned: Learned) -> Stacked:
        """The heads of what was learned."""
        import numpy as np

        heads = (learned.heads.head, *learned.heads.resampled)
        weights = np.hstack([head.weights for head in heads])
        bias = np.concatenate([head.bias for head in heads])
        return cls(learned, *learned.scale.unscaled(weights, bias))

    def predict(self, vectors: NDArray[np.float32]) -> Predictions:
        """The predictions for vectors: documents x dimensions."""
        import numpy as np

        probabilities, *samples = self._probabilities(vectors)
        quality = self.learned.quality
        if quality is None:
            return Predictions(probabilities, None)
        qualities = np.stack([quality(sample) for sample in samples])
        return Predictions(probabilities, spread(quality(probabilities), qualities))

    def _probabilities(self, vectors: NDArray[np.float32]) -> Iterator[Array]:
        """Yield the probabilities by each head."""
        import numpy as np

        heads = self.learned.heads
        outputs = vectors.astype(np.float64) @ self.weights + self.bias
        start = 0
        for head in (heads.head, *heads.resampled):
            own = outputs[:, start : start + len(head.bias)]
            yield softmax(head.logits(own) / heads.temperature)
            start += len(head.bias)


def _table(
    ids: pa.ChunkedArray,
    is_labelled: NDArray[np.bool_],
    undecided: NDArray[np.int64],
    predictions: Predictions,
    learned: Learned,
) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    empty = pa.nulls(len(ids), pa.float64())
    quality = (empty,) * 3 if predictions.quality is None else predictions.quality
    is_open = np.zeros(len(ids), bool)
    is_open[undecided] = True
    best = pa.array(predictions.probabilities.argmax(axis=1), mask=is_open)
    columns: dict[str, Any] = {
        "id": ids,
        **dict(zip(("quality", "low", "high"), quality, strict=True)),
        "out_of_fold": is_labelled,
        tables.predicted(learned.question): pa.array(learned.values, pa.string()).take(best),
    }
    for place, value in enumerate(learned.values):
        columns[f"{learned.question}:{value}"] = predictions.probabilities[:, place]
    return pa.table(columns)
