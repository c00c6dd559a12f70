"""Near-duplicates by meaning: vectors of an encoder, random hyperplanes, verified cosines.

A vector's signature has the layout of a text's: bands of signs of random projections (Charikar
2002) instead of MinHash, and 128 more signs. So pairs, groups and precedence are those of texts;
only the comparison differs. The time needed is that of the encoder for the pool.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import acos, log, pi
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage
from curate.clean.duplicates.near import Gone, Shard, near_duplicates
from curate.clean.duplicates.spec import SemanticSpec
from curate.embed.encoders import Encoder, choose, load
from curate.minhash import BANDS, BIT_WORDS, DOUBT
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

SEED = 42
BLOCK = 1024
"""Texts encoded at once."""

MISSED = 0.005
"""Share of pairs at the threshold that may share no band."""


@dataclass(frozen=True)
class Vectors:
    """Compares vectors, stored in a folder by shard number; see `comparing.Kind`."""

    folder: Path
    dimension: int

    def type(self) -> pa.DataType:
        """The Arrow type of a vector's elements."""
        import pyarrow as pa

        return pa.float32()

    def contents(self, shard: Shard, rows: Sequence[int]) -> list[NDArray[Any]]:
        """The vectors of some rows, each of shape (dimension,)."""
        import numpy as np

        table = storage.read_parquet(self.folder / f"{shard.number:05}.parquet", columns=["vector"])
        flat = table["vector"].combine_chunks().flatten().to_numpy()
        return list(np.asarray(flat.reshape(-1, self.dimension)[list(rows)], np.float32))

    def similarity(self, one: NDArray[Any], other: NDArray[Any]) -> float:
        """The cosine of two vectors of length one, at most 1."""
        return min(1.0, float(one.astype(float) @ other.astype(float)))

    def least_equal(self, threshold: float) -> int:
        """The fewest of 128 signs that two vectors of this cosine share, but for rare cases."""
        bits = 64 * BIT_WORDS
        share = 1 - acos(min(threshold, 1.0)) / pi
        return int(bits * (share - DOUBT * (share * (1 - share) / bits) ** 0.5))

    def bytes(self, shard: Shard) -> int:
        """The bytes of one vector."""
        return 4 * self.dimension


def band_width(threshold: float) -> int:
    """The signs of a band, 8 to 32: the most that miss at most `MISSED` at the threshold."""
    share = 1 - acos(min(threshold, 1.0)) / pi
    band_chance = 1 - MISSED ** (1 / BANDS)
    return max(8, min(32, int(log(band_chance) / log(share)))) if share < 1 else 32


def signatures(vectors: NDArray[np.float32], width: int) -> NDArray[np.uint64]:
    """The band keys and signs of vectors: (n, dimension) to (n, bands + 2)."""
    import numpy as np

    rng = np.random.default_rng(SEED)
    planes = rng.standard_normal((vectors.shape[1], BANDS * width + 64 * BIT_WORDS), np.float32)
    signs = vectors @ planes > 0
    words = np.zeros((len(vectors), BANDS), np.uint64)
    for at in range(width):
        words |= signs[:, at : BANDS * width : width].astype(np.uint64) << np.uint64(at)
    words ^= np.arange(1, BANDS + 1, dtype=np.uint64) << np.uint64(40)
    rest = np.packbits(signs[:, BANDS * width :], axis=1).view(np.uint64)
    return np.hstack([words, rest])


def semantic_duplicates(
    workspace: Workspace, shards: Sequence[Shard], gone: Gone, spec: SemanticSpec, folder: Path
) -> Gone:
    """Settle the documents that are left and have the same meaning."""
    texts = partial(_texts, shards, gone)
    name = choose(spec.encoder, texts())[0] if spec.encoder == "auto" else spec.encoder
    encoder = load(name, workspace.root, texts)
    rows = workspace.tables.rows("pool")
    with workspace.watch(f"embedding with {encoder.id}", rows) as advance:
        signed_shards = []
        for shard in shards:
            signed_shards.append(_signed(shard, gone, encoder, spec.similarity, folder))
            advance(_rows(shard.texts))
    kind = Vectors(folder / "vectors", encoder.dimension)
    return near_duplicates(
        workspace.engine, signed_shards, spec.similarity, folder / "near", kind=kind
    )


def _rows(path: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_rows)


def _texts(shards: Sequence[Shard], gone: Gone) -> Iterator[str]:
    for shard in shards:
        yield from shard.contents(gone.left(shard))


def _signed(shard: Shard, gone: Gone, encoder: Encoder, threshold: float, folder: Path) -> Shard:
    """Write a shard's vectors and signatures unless they exist; return the shard with them."""
    import numpy as np
    import pyarrow as pa

    path = folder / "signed" / f"{shard.number:05}.parquet"
    if path.exists():  # from a run that was interrupted: encoding takes the longest of all
        return replace(shard, signed=path)
    rows = gone.left(shard)
    texts = shard.contents(rows)
    vectors = np.zeros((_rows(shard.texts), encoder.dimension), np.float32)
    for start in range(0, len(rows), BLOCK):
        block = slice(start, start + BLOCK)
        vectors[rows[block]] = encoder.encode(texts[block])
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors /= np.where(lengths > 0, lengths, 1)
    words = signatures(vectors, band_width(threshold))
    signable = set(np.flatnonzero(lengths.ravel() > 0).tolist()) & set(rows)
    marks = [words[row].tobytes() if row in signable else None for row in range(len(vectors))]
    flat = pa.ListArray.from_arrays(
        pa.array(np.arange(len(vectors) + 1, dtype=np.int32) * encoder.dimension),
        pa.array(vectors.ravel()),
    )
    storage.write_parquet(
        folder / "vectors" / f"{shard.number:05}.parquet", pa.table({"vector": flat})
    )
    storage.write_parquet(path, pa.table({"_signature": pa.array(marks, pa.binary())}))
    return replace(shard, signed=path)
