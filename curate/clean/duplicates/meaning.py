"""Near-duplicates by meaning: vectors of an encoder, random hyperplanes, verified cosines.

The signature of a vector has the layout of a text's: bands of signs of random projections (Charikar
2002) instead of MinHash, and 128 signs more. So pairs, groups and precedence are those of
`duplicates`; only what is compared differs. It takes as long as the encoder takes for the pool.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import acos, log, pi
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, model_validator

from curate import storage
from curate.clean.duplicates.minhash import BANDS, BIT_WORDS, DOUBT
from curate.clean.duplicates.near import Gone, Shard, near_duplicates
from curate.embed.encoders import Encoder, choose, load
from curate.spec import Spec
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


class SemanticSpec(Spec):
    """From which similarity in meaning one of two documents goes, and what measures it."""

    similarity: Annotated[
        float, Field(ge=0.8, le=1, description="Cosine similarity from which one goes.")
    ] = 0.95
    encoder: Annotated[str, Field(description="As in `score`.")] = "auto"

    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, given: Any) -> Any:
        return {"similarity": given} if isinstance(given, int | float) else given


@dataclass(frozen=True)
class Vectors:
    """Compares vectors, which lie in a folder under their shard's number; see `duplicates.Kind`."""

    folder: Path
    dimension: int

    def type(self) -> pa.DataType:
        """Return the type of a vector's elements."""
        import pyarrow as pa

        return pa.float32()

    def contents(self, shard: Shard, rows: Sequence[int]) -> list[NDArray[Any]]:
        """Return the vectors of some rows."""
        import numpy as np
        import pyarrow.parquet as pq

        table = pq.read_table(self.folder / f"{shard.number:05}.parquet", columns=["vector"])
        flat = table["vector"].combine_chunks().flatten().to_numpy()
        return list(np.asarray(flat.reshape(-1, self.dimension)[list(rows)], np.float32))

    def similarity(self, one: NDArray[Any], other: NDArray[Any]) -> float:
        """Return the cosine of two vectors of length one, at most 1."""
        return min(1.0, float(one.astype(float) @ other.astype(float)))

    def least_equal(self, threshold: float) -> int:
        """Return how many of 128 signs two vectors share at least, if they are as alike as that."""
        bits = 64 * BIT_WORDS
        share = 1 - acos(min(threshold, 1.0)) / pi
        return int(bits * (share - DOUBT * (share * (1 - share) / bits) ** 0.5))

    def bytes(self, shard: Shard) -> int:
        """Return how many bytes a document takes."""
        return 4 * self.dimension


def band_width(threshold: float) -> int:
    """Return how many signs a band has: as many as leave a pair at the threshold its chance."""
    share = 1 - acos(min(threshold, 1.0)) / pi
    wanted = 1 - MISSED ** (1 / BANDS)
    return max(8, min(32, int(log(wanted) / log(share)))) if share < 1 else 32


def signatures(vectors: NDArray[np.float32], width: int) -> NDArray[np.uint64]:
    """Return band keys and signs: (n, dimension) to (n, bands + 2)."""
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
    """Settle those among the documents that are left whose meaning is the same."""
    texts = partial(_texts, shards, gone)
    name = choose(spec.encoder, texts())[0] if spec.encoder == "auto" else spec.encoder
    encoder = load(name, workspace.root, texts)
    rows = workspace.rows("pool")
    with workspace.watch(f"embedding with {encoder.id}", rows) as advance:
        signed = []
        for shard in shards:
            signed.append(_signed(shard, gone, encoder, spec.similarity, folder))
            advance(_rows(shard.texts))
    kind = Vectors(folder / "vectors", encoder.dimension)
    return near_duplicates(workspace.engine, signed, spec.similarity, folder / "near", kind=kind)


def _rows(path: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_rows)


def _left(shard: Shard, gone: Gone) -> list[int]:
    """Return the rows of a shard that are still there."""
    import pyarrow.parquet as pq

    assert shard.reasons is not None
    reasons = pq.read_table(shard.reasons, columns=["reason"])["reason"].to_pylist()
    away = set(gone.of(shard.number)["row"].to_pylist())
    return [row for row, reason in enumerate(reasons) if reason is None and row not in away]


def _texts(shards: Sequence[Shard], gone: Gone) -> Iterator[str]:
    for shard in shards:
        yield from shard.contents(_left(shard, gone))


def _signed(shard: Shard, gone: Gone, encoder: Encoder, threshold: float, folder: Path) -> Shard:
    """Write vectors and signatures of a shard's documents if need be; return it, so signed."""
    import numpy as np
    import pyarrow as pa

    path = folder / "signed" / f"{shard.number:05}.parquet"
    if path.exists():  # before the run was interrupted: encoding takes the longest of all
        return replace(shard, signed=path)
    rows = _left(shard, gone)
    texts = shard.contents(rows)
    vectors = np.zeros((_rows(shard.texts), encoder.dimension), np.float32)
    for start in range(0, len(rows), BLOCK):
        some = slice(start, start + BLOCK)
        vectors[rows[some]] = encoder.encode(texts[some])
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors /= np.where(lengths > 0, lengths, 1)
    words = signatures(vectors, band_width(threshold))
    able = set(np.flatnonzero(lengths.ravel() > 0).tolist()) & set(rows)
    marks = [words[row].tobytes() if row in able else None for row in range(len(vectors))]
    flat = pa.ListArray.from_arrays(
        pa.array(np.arange(len(vectors) + 1, dtype=np.int32) * encoder.dimension),
        pa.array(vectors.ravel()),
    )
    storage.write_parquet(
        folder / "vectors" / f"{shard.number:05}.parquet", pa.table({"vector": flat})
    )
    storage.write_parquet(path, pa.table({"_signature": pa.array(marks, pa.binary())}))
    return replace(shard, signed=path)
