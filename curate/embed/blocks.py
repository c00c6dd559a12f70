"""Blocks of vectors on disk: files of a shard's documents, made at once by one encoder.

    vectors/<encoder>/<shard>-<encoder's digest>-<digest of the contents>.parquet

The encoder's digest keeps vectors of another model under the same name apart. A row is found by
the digest of its content. A block may hold more than the documents that are kept today.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage
from curate.embed import contents
from curate.errors import DataError
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


def digest_of(about: Mapping[str, Any]) -> str:
    """The digest of an encoder, as in the names of its blocks."""
    return storage.digest(dict(about))[:8]


def write(
    folder: Path,
    shard: str,
    encoder: str,
    ids: pa.Array | pa.ChunkedArray,
    own: NDArray[np.uint64],
    vectors: NDArray[np.float32],
    parts: NDArray[np.int32] | None = None,
) -> None:
    """Write a block of a shard (by its file's name); `encoder` and `own` are digests.

    `parts` are the numbers of the windows within their documents; without them 0.
    """
    import numpy as np
    import pyarrow as pa

    rows, dimension = vectors.shape
    offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * np.int32(dimension))
    flat = pa.array(np.ascontiguousarray(vectors, np.float32).ravel())
    table = pa.table(
        {
            "id": ids,
            "part": np.zeros(rows, np.int32) if parts is None else parts,
            "content": own,
            "vector": pa.ListArray.from_arrays(offsets, flat),
        }
    )
    name = blake2b(own.astype(">u8").tobytes(), digest_size=6).hexdigest()
    path = folder / f"{Path(shard).stem}-{encoder}-{name}.parquet"
    storage.write_parquet(path, table, dictionary=False)


def listed(folder: Path, encoder: str) -> tuple[dict[str, list[Path]], list[Path]]:
    """The blocks of an encoder by the stem of their shard; and the blocks of other encoders."""
    own: dict[str, list[Path]] = {}
    others = []
    for path in storage.shards(folder):
        shard, *rest = path.stem.rsplit("-", 2)
        if len(rest) == 2 and rest[0] == encoder:
            own.setdefault(shard, []).append(path)
        else:
            others.append(path)
    return own, others


def read_contents(paths: Sequence[Path]) -> list[NDArray[np.uint64]]:
    """Read the digests of the contents of blocks."""
    return [_read(path, "content")["content"].to_numpy() for path in paths]


def read_vectors(path: Path) -> NDArray[np.float32]:
    """Read the vectors of a block: rows x dimension."""
    import numpy as np

    vectors = _read(path, "vector")["vector"]
    flat = [chunk.flatten().to_numpy() for chunk in vectors.chunks]
    return np.asarray(np.concatenate(flat), np.float32).reshape(len(vectors), -1)


def _read(path: Path, column: str) -> pa.Table:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        return file.read([column])


class Cache:
    """Where the vectors of contents are: about 16 bytes a row of the blocks."""

    def __init__(self, paths: Sequence[Path]) -> None:
        import numpy as np

        self.paths = paths
        own = read_contents(paths) or [np.zeros(0, np.uint64)]
        self._ends = np.cumsum([len(part) for part in own])
        everything = np.concatenate(own)
        self._order = np.argsort(everything, kind="stable").astype(np.uint32)
        self._sorted = everything[self._order]
        self._last: tuple[int, NDArray[np.float32]] | None = None

    def find(self, wanted: NDArray[np.uint64]) -> NDArray[np.int64]:
        """The place of each content among all rows of the blocks; -1 where there is none."""
        import numpy as np

        if not len(self._sorted):
            return np.full(len(wanted), -1)
        places = np.minimum(np.searchsorted(self._sorted, wanted), len(self._sorted) - 1)
        return np.where(self._sorted[places] == wanted, self._order[places].astype(np.int64), -1)

    def batches(
        self, places: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Yield, block by block, which of the places are in it, and their vectors."""
        import numpy as np

        numbers = np.searchsorted(self._ends, places, side="right")
        for number in np.unique(numbers).tolist():
            own = np.flatnonzero(numbers == number)
            start = self._ends[number - 1] if number else 0
            yield own, self._block(number)[places[own] - start]

    def _block(self, number: int) -> NDArray[np.float32]:
        """The vectors of a block; the last one read is kept."""
        if self._last is None or self._last[0] != number:
            self._last = (number, read_vectors(self.paths[number]))
        return self._last[1]

    def read(self, places: NDArray[np.int64], dimension: int) -> NDArray[np.float32]:
        """Read the vectors at places of `find`: places x dimension."""
        import numpy as np

        vectors = np.zeros((len(places), dimension), np.float32)
        for own, part in self.batches(places):
            vectors[own] = part
        return vectors


@dataclass(frozen=True)
class VectorShard:
    """The vectors of one shard's kept documents: a small value that workers read.

    `contents` is the file with the digests of its pieces, `blocks` are those of the shard. A piece
    is a document, or a window of `window` characters of one.
    """

    documents: DocumentShard
    contents: Path
    blocks: tuple[Path, ...]
    dimension: int
    window: int | None = None

    def digests(self) -> NDArray[np.uint64]:
        """Read the digests of the pieces, in pool order."""
        import numpy as np

        return np.asarray(np.load(self.contents), np.uint64)

    def starts(self) -> NDArray[np.int64]:
        """Read where each document's pieces start; their number stands at the end."""
        import numpy as np

        if self.window is None:
            return np.arange(len(np.load(self.contents, mmap_mode="r")) + 1)
        return np.asarray(np.load(contents.starts_of(self.contents)), np.int64)

    def rows(self) -> int:
        """Read the number of kept documents."""
        return len(self.starts()) - 1

    def missing(self) -> NDArray[np.int64]:
        """The pieces that have no vector here, by their place."""
        import numpy as np

        return np.flatnonzero(Cache(self.blocks).find(self.digests()) < 0)

    def batches(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Yield (places among the pieces, their vectors), block by block.

        Raises DataError if a piece has no vector.
        """
        cache = Cache(self.blocks)
        return cache.batches(_found(cache, self.digests()))

    def read(self, places: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
        """Read the vectors of all pieces, or of some by their places, in their order."""
        cache, own = Cache(self.blocks), self.digests()
        found = _found(cache, own if places is None else own[places])
        return cache.read(found, self.dimension)

    def means(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Read the mean vectors of some documents over their pieces: rows x dimension."""
        import numpy as np

        if self.window is None:
            return self.read(rows)
        starts = self.starts()
        counts = np.diff(starts)[rows]
        edges = np.concatenate([[0], np.cumsum(counts)])[:-1]
        places = np.repeat(starts[rows] - edges, counts) + np.arange(counts.sum())
        sums = np.add.reduceat(self.read(places), edges, axis=0)
        return np.asarray(sums / counts[:, None], np.float32)

    def chunks(self, rows: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Yield (starts of documents, vectors of their pieces) for so many documents at a time.

        The starts count from the first piece of the chunk; their number stands at the end. A block
        is read again only if its pieces lie in several chunks that are apart.
        """
        cache, starts = Cache(self.blocks), self.starts()
        places = _found(cache, self.digests())
        for first in range(0, len(starts) - 1, rows):
            own = starts[first : first + rows + 1]
            yield own - own[0], cache.read(places[own[0] : own[-1]], self.dimension)

    def chunked_means(self, rows: int) -> Iterator[NDArray[np.float32]]:
        """Yield the mean vectors of all documents in their order, so many at a time."""
        import numpy as np

        for starts, vectors in self.chunks(rows):
            sums = np.add.reduceat(vectors, starts[:-1], axis=0)
            yield np.asarray(sums / np.diff(starts)[:, None], np.float32)


def _found(cache: Cache, wanted: NDArray[np.uint64]) -> NDArray[np.int64]:
    places = cache.find(wanted)
    if (places < 0).any():
        raise DataError("some documents have no vectors", hint="run `curate score` again")
    return places


def shards_of(
    documents: Sequence[DocumentShard],
    digests: Path,
    own: Mapping[str, Sequence[Path]],
    size: int,
    window: int | None = None,
) -> list[VectorShard]:
    """The vectors of each shard; `own` are the blocks by shard, `size` is the dimension."""
    return [
        VectorShard(
            shard,
            contents.path_of(digests, shard),
            tuple(own.get(Path(shard.name).stem, ())),
            size,
            window,
        )
        for shard in documents
    ]


def unused(item: VectorShard) -> list[Path]:
    """The blocks of a shard in which no document of its pool is, kept or not."""
    import pyarrow.compute as pc

    if not item.blocks:
        return []
    ids = item.documents.read(["id"], dropped=True)["id"].combine_chunks()
    return [
        path for path in item.blocks if not pc.any(pc.is_in(_read(path, "id")["id"], ids)).as_py()
    ]
