"""Embeddings in two dimensions, for the map: a sample of documents by the smallest ids.

Ids are hashes, so the smallest are a sample that neither shards nor workers change. Two passes read
one shard at a time: ids first, then the vectors and the columns of the chosen ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from curate.embed.blocks import VectorShard
from curate.engine import in_order
from curate.report.folding import encoded
from curate.report.texts import beginning
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

POINTS = 20_000
"""The most documents on a map."""

LENGTH = 32
"""Characters of an id."""

LETTERS = 100
"""Characters of each text."""

MIDDLE = 0.998
"""The part of the points along an axis that the picture spans; the others stand at its edge."""


@dataclass(frozen=True)
class Points:
    """Documents on a plane. `columns` hold a value for each; `place` is points x 2, 0 to 1.

    `kept` is the share of the variance of the embeddings that the plane has.
    """

    place: NDArray[np.float64]
    kept: float
    texts: list[str]
    columns: dict[str, list[Any]]


@dataclass(frozen=True)
class Shard:
    """A shard of vectors, and the same shard with scores and mixture where these fit."""

    vectors: VectorShard
    documents: DocumentShard


def points(
    workspace: Workspace, shards: Sequence[Shard], columns: Sequence[str], most: int = POINTS
) -> Points:
    """The map of at most so many documents; `columns` are those of their tables."""
    import numpy as np

    total = sum(shard.vectors.rows() for shard in shards)
    with workspace.watch("choosing points", total) as advance:
        found = []
        for own in in_order(workspace.engine.each(_Smallest(most), shards)):
            found.append(own)
            advance(own.documents)
    rows = _rows(found, most)
    read = _Read(tuple(columns))
    parts = [
        own
        for own in in_order(workspace.engine.each(read, list(zip(shards, rows, strict=True))))
        if len(own.texts)
    ]
    place, kept = plane(np.concatenate([own.vectors for own in parts]))
    order = np.argsort(np.concatenate([own.ids for own in parts]), kind="stable")
    texts = [text for own in parts for text in own.texts]
    values = {name: [value for own in parts for value in own.columns[name]] for name in columns}
    return Points(
        place[order],
        kept,
        [texts[at] for at in order.tolist()],
        {name: [own[at] for at in order.tolist()] for name, own in values.items()},
    )


def plane(vectors: NDArray[np.float32]) -> tuple[NDArray[np.float64], float]:
    """The first two principal components, scaled to 0 to 1, and their share of the variance.

    Vectors that are not finite count as zeros. The scale spans the middle points of each axis.
    """
    import numpy as np

    finite = np.where(np.isfinite(vectors), vectors, np.float32(0))
    if min(finite.shape) < 2 or not finite.std(axis=0).any():
        return np.full((len(finite), 2), 0.5), 1.0
    centred = finite - finite.mean(axis=0)
    variances, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    axes = axes[:, :-3:-1]  # the two largest, the largest first
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
    found = centred.astype(np.float64) @ axes
    tail = (1 - MIDDLE) / 2
    low, high = np.quantile(found, [tail, 1 - tail], axis=0)
    place = (found - low) / np.where(high > low, high - low, 1.0)
    return place.clip(0, 1), float(variances[-2:].sum() / variances.sum())


@dataclass(frozen=True)
class _Smallest:
    most: int

    def __call__(self, shard: Shard) -> Smallest:
        """The smallest ids of the kept documents of a shard."""
        import numpy as np

        table = shard.vectors.documents.read(["id", "kept"], dropped=True)
        kept = np.flatnonzero(table["kept"].to_numpy())
        ids = _bytes(table["id"])[kept]
        rows: NDArray[np.int64] = np.arange(len(ids))
        if len(ids) > self.most:
            rows = np.sort(np.argpartition(ids, self.most - 1)[: self.most])
        return Smallest(ids[rows], rows, kept[rows], len(ids))


class Smallest(NamedTuple):
    """Ids of a shard, their rows among its kept documents and among all, and the number kept."""

    ids: NDArray[np.bytes_]
    rows: NDArray[np.int64]
    places: NDArray[np.int64]
    documents: int


def _bytes(ids: pa.ChunkedArray) -> NDArray[np.bytes_]:
    """Ids as bytes, without an object for each."""
    import numpy as np
    import pyarrow as pa

    fixed = pa.concat_arrays([part.cast(pa.binary(LENGTH)) for part in ids.chunks])
    return np.frombuffer(fixed.buffers()[1], f"S{LENGTH}", len(fixed), fixed.offset * LENGTH)


Rows = tuple["NDArray[np.int64]", "NDArray[np.int64]"]
"""Rows of a shard: among its kept documents, and among all."""


def _rows(found: Sequence[Smallest], most: int) -> list[Rows]:
    """The rows of each shard that are among the smallest ids of all."""
    import numpy as np

    chosen: NDArray[np.bytes_] = np.array([], f"S{LENGTH}")
    for own in found:
        chosen = np.sort(np.concatenate([chosen, own.ids]))[:most]
    chosen = chosen[-1:] if len(chosen) else np.array([b""], f"S{LENGTH}")
    return [(own.rows[is_in], own.places[is_in]) for own in found for is_in in [own.ids <= chosen]]


@dataclass(frozen=True)
class _Chosen:
    ids: NDArray[np.bytes_]
    vectors: NDArray[np.float32]
    texts: list[str]
    columns: dict[str, list[Any]]


@dataclass(frozen=True)
class _Read:
    columns: tuple[str, ...]

    def __call__(self, item: tuple[Shard, Rows]) -> _Chosen:
        """What is shown of some rows of a shard."""
        import numpy as np
        import pyarrow.compute as pc

        shard, (rows, places) = item
        if not len(rows):
            return _Chosen(np.array([], f"S{LENGTH}"), np.zeros((0, 0), np.float32), [], {})
        table = shard.documents.read(["id", "text", *self.columns], rows=places)
        texts = pc.utf8_slice_codeunits(table["text"], 0, 4 * LETTERS).to_pylist()
        return _Chosen(
            _bytes(table["id"]),
            shard.vectors.means(rows),
            [beginning(text, LETTERS) for text in texts],
            {name: _values(table[name]) for name in self.columns},
        )


def _values(column: Any) -> list[Any]:
    """The values of a column; of words the same object for each that is equal."""
    import pyarrow as pa

    if not pa.types.is_string(column.type):
        return list(column.to_pylist())
    names, numbers = encoded(column)
    return [names[number] or None for number in numbers.tolist()]
