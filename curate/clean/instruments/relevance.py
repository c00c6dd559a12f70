"""How similar a document is to target texts: importance by words, or nearness by meaning.

`ngrams` is the importance of DSIR (Xie et al. 2023, arXiv 2302.03169). Words and pairs of words are
hashed into 10,000 buckets. The importance of a bucket is the logarithm of how much likelier it is
in the target than in the pool. In Chinese and Japanese, characters and pairs of characters take the
place of words. The paper sums over a document to weight a draw. A sum grows with the length, and a
threshold on it would mainly be one on length, so the signal is the mean per word and pair, in nats.
It orders documents, but 0 is not a border: a small target lacks most pairs of a document, so good
documents score below 0 as well. Use `top`, or choose `min` from the measured scores.

`embedding` is the cosine of a document's vector and the nearest seed, the vector of a target text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from curate import storage
from curate.clean.instruments.arrays import StoredArrays, store_arrays
from curate.clean.instruments.grams import Hashed, hashed
from curate.clean.instruments.references import digest_of, read_texts
from curate.errors import DataError
from curate.spec import Spec, used_with

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from curate.clean.edits import Batch
    from curate.embed.encoders import Encoder
    from curate.workspace import Workspace

SCORE = "relevance:score"
BUCKETS = 10_000
PROBE = 20_000
"""The number of documents, drawn by id, that give the distribution of the pool."""


class TargetText(Spec):
    """A file of target texts."""

    path: Annotated[str, Field(description="JSONL, JSON, CSV, TSV, Parquet or text; also packed.")]
    field: Annotated[
        str | tuple[str, ...], Field(description="The field, or the fields, that make a text.")
    ] = "text"


class RelevanceSpec(Spec):
    """The target that documents are compared with, and the score from which they pass."""

    target: Annotated[tuple[TargetText, ...], Field(min_length=1, description="Wanted texts.")]
    method: Annotated[
        Literal["ngrams", "embedding"], Field(description="By words, or by meaning.")
    ] = "ngrams"
    encoder: Annotated[
        str,
        used_with(method="embedding"),
        Field(
            min_length=1, description="For `embedding`: minilm, use-m3, or a SentenceTransformer."
        ),
    ] = "use-m3"
    min: Annotated[float | None, Field(description="Smallest score that passes.")] = None
    top: Annotated[
        float | None, Field(gt=0, le=1, description="Share of the documents that passes.")
    ] = None

    @model_validator(mode="after")
    def _one_limit(self) -> RelevanceSpec:
        if self.min is not None and self.top is not None:
            raise ValueError("give `min` or `top`, not both")
        if self.method == "embedding" and self.encoder in ("chargram", "auto"):
            raise ValueError(f"the encoder {self.encoder} is fitted on what passes; name another")
        return self


def buckets(texts: Hashed) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The bucket of every word and pair of words, and the number of its text."""
    import numpy as np

    parts = [texts.grams(n) for n in (1, 2)]
    where = np.concatenate([text for _, text in parts])
    numbers = np.concatenate([hashes % np.uint64(BUCKETS) for hashes, _ in parts])
    return numbers.astype(np.int64), where


def counts(texts: Iterable[str]) -> NDArray[np.float64]:
    """The number of times that each bucket occurs: shape (BUCKETS,)."""
    import numpy as np

    numbers, _ = buckets(hashed(texts))
    return np.bincount(numbers, minlength=BUCKETS).astype(np.float64)


def importance(target: NDArray[np.float64], pool: NDArray[np.float64]) -> NDArray[np.float32]:
    """The value log p(bucket | target) - log p(bucket | pool), with one added to every count.

    For the target, one is added to its count and to the count that the pool predicts. A bucket too
    rare for so small a target then says little, whether it occurs or not.
    """
    import numpy as np

    raw = (pool + 1) / (pool.sum() + BUCKETS)
    return np.asarray(np.log((target + 1) / (target.sum() * raw + 1)), np.float32)


def scores(texts: Iterable[str], ratios: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean importance of each text's words and pairs, in nats; NaN for a text without words."""
    import numpy as np

    hashes = hashed(texts)
    numbers, where = buckets(hashes)
    n = len(hashes.starts) - 1
    total = np.bincount(where, weights=ratios[numbers], minlength=n)
    with np.errstate(invalid="ignore"):
        return (total / np.bincount(where, minlength=n)).astype(np.float32)


def nearest(vectors: NDArray[np.float32], seeds: NDArray[np.float32]) -> NDArray[np.float32]:
    """The largest cosine of each row of `vectors` with a row of `seeds`: shape (vectors,)."""
    import numpy as np

    return np.asarray((_unit(vectors) @ _unit(seeds).T).max(axis=1), np.float32)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-12), np.float32)


@dataclass(frozen=True)
class Prepared:
    """The importance of the buckets, or the seeds and the encoder that made them."""

    arrays: StoredArrays
    encoder: str | None


class Relevance:
    """The instrument: the column `relevance:score`."""

    def prepare(self, workspace: Workspace, settings: RelevanceSpec) -> Prepared:
        """Store the importance of the buckets, or the seeds.

        Raises RecipeError if a file is missing, DataError if the target holds no text.
        """
        paths = [workspace.path(target.path) for target in settings.target]
        digests = [digest_of(p, f"clean.relevance.target.{n}.path") for n, p in enumerate(paths)]
        fields = [target.field for target in settings.target]
        by_meaning = settings.method == "embedding"
        about = (
            settings.encoder
            if by_meaning
            else [workspace.tables.fingerprint("pool"), BUCKETS, PROBE]
        )
        digest = storage.digest([settings.method, digests, fields, about])

        def make() -> dict[str, Any]:
            texts = list(_target(workspace, settings))
            if not texts:
                raise DataError("clean.relevance: the target holds no text")
            if by_meaning:
                return {"seeds": _encoder(settings.encoder, str(workspace.root)).encode(texts)}
            return {"ratios": importance(counts(texts), _pool_counts(workspace))}

        arrays = store_arrays(workspace.root, "relevance", digest, make)
        root = str(workspace.root) if by_meaning else ""
        return Prepared(arrays, f"{settings.encoder}\n{root}" if by_meaning else None)

    def measure(self, batch: Batch, prepared: Prepared) -> Mapping[str, pa.Array]:
        """The score of each document."""
        import numpy as np
        import pyarrow as pa

        arrays: Mapping[str, Any] = prepared.arrays.arrays()
        if prepared.encoder is None:
            values = scores(batch.edited, np.asarray(arrays["ratios"]))
        else:
            encoder = _encoder(*prepared.encoder.split("\n"))
            values = nearest(encoder.encode(batch.edited), np.asarray(arrays["seeds"]))
        return {SCORE: pa.array(values, pa.float32())}

    def settle(self, shards: Sequence[Path], settings: RelevanceSpec) -> RelevanceSpec:
        """The settings with `min`, the lowest score in the top share, in place of `top`."""
        if settings.top is None:
            return settings
        import numpy as np

        values = np.concatenate(
            [storage.read_parquet(path, columns=[SCORE])[SCORE].to_numpy() for path in shards]
        )
        ranked = np.sort(values[~np.isnan(values)])[::-1]
        passing = max(1, round(settings.top * len(values)))
        least = float(ranked[min(passing, len(ranked)) - 1]) if len(ranked) else 0.0
        return settings.model_copy(update={"min": least, "top": None})

    def fails(self, measured: pa.Table, settings: RelevanceSpec) -> NDArray[np.bool_]:
        """Whether each document has no score, or one below `min`."""
        import numpy as np

        values = measured[SCORE].to_numpy()
        if settings.min is None:
            return np.zeros(len(values), bool)
        return np.asarray(np.isnan(values) | (values < np.float32(settings.min)))


def _target(workspace: Workspace, settings: RelevanceSpec) -> Iterable[str]:
    for target in settings.target:
        fields = (target.field,) if isinstance(target.field, str) else target.field
        yield from (text for _, text in read_texts(workspace.path(target.path), fields))


def _pool_counts(workspace: Workspace) -> NDArray[np.float64]:
    """Count the pool's buckets in documents drawn by id, so that the order makes no difference."""
    import numpy as np

    rows = max(1, workspace.tables.rows("pool"))
    cut = f"{min((1 << 32) - 1, int((1 << 32) * PROBE / rows)):08x}"
    total = np.zeros(BUCKETS)
    for path in workspace.tables.shards("pool"):
        table = storage.read_parquet(path, columns=["id", "text"])
        chosen = np.array([id[:8] <= cut for id in table["id"].to_pylist()], bool)
        total += counts(table["text"].take(np.flatnonzero(chosen)).to_pylist())
    return total


@cache
def _encoder(name: str, root: str) -> Encoder:
    from curate.embed.encoders import load

    return load(name, Path(root), lambda: iter(()))
