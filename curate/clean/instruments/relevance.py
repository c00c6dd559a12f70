"""How much a document is like texts that are wanted: importance by words, or nearness by meaning.

`ngrams` is the importance of DSIR (Xie et al. 2023, arXiv 2302.03169): words and pairs of words
hashed into 10,000 buckets, and the logarithm of how much likelier a bucket is in the target than in
the pool. In Chinese and Japanese characters and pairs of characters take the place of words. The
paper sums over a document to weigh a draw; a sum grows with the length, so that any threshold on it
would first of all be one on length. The signal is therefore the mean per word and pair, in nats. It
orders documents; 0 is no border: most pairs of a document are in no small target, so that what is
wanted lies below 0 as well. Take `top`, or a `min` from the scores that there are.

`embedding` is the cosine of a document's vector and the nearest of the seeds' vectors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from curate import storage
from curate.clean.instruments.arrays import Kept, keep
from curate.clean.instruments.grams import Hashed, hashed
from curate.clean.instruments.references import digest_of, read_texts
from curate.errors import DataError
from curate.spec import Spec

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
"""Documents, drawn by id, from which the pool's own distribution is counted."""


class TargetText(Spec):
    """A file of texts such as are wanted."""

    path: Annotated[str, Field(description="JSONL, JSON, CSV, TSV, Parquet or text; also gzipped.")]
    field: Annotated[
        str | tuple[str, ...], Field(description="The field, or the fields, that make a text.")
    ] = "text"


class RelevanceSpec(Spec):
    """What documents are compared with, and from where they pass."""

    target: Annotated[tuple[TargetText, ...], Field(min_length=1, description="Wanted texts.")]
    method: Annotated[
        Literal["ngrams", "embedding"], Field(description="By words, or by meaning.")
    ] = "ngrams"
    encoder: Annotated[
        str, Field(description="For `embedding`: minilm, use-m3, or a SentenceTransformer.")
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
    """Return the bucket of every word and pair of words, and the text it stands in."""
    import numpy as np

    parts = [texts.grams(n) for n in (1, 2)]
    where = np.concatenate([text for _, text in parts])
    found = np.concatenate([hashes % np.uint64(BUCKETS) for hashes, _ in parts])
    return found.astype(np.int64), where


def counts(texts: Iterable[str]) -> NDArray[np.float64]:
    """Return how often each bucket occurs."""
    import numpy as np

    found, _ = buckets(hashed(texts))
    return np.bincount(found, minlength=BUCKETS).astype(np.float64)


def importance(target: NDArray[np.float64], pool: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return log p(bucket | target) - log p(bucket | pool), with one added to every count.

    Of the target it is added to the count and to what the pool lets expect: a bucket that so small
    a target could hardly have seen says nothing, seen or not.
    """
    import numpy as np

    raw = (pool + 1) / (pool.sum() + BUCKETS)
    return np.asarray(np.log((target + 1) / (target.sum() * raw + 1)), np.float32)


def scores(texts: Iterable[str], ratios: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean importance of each text's words and pairs; NaN for a text without words."""
    import numpy as np

    made = hashed(texts)
    found, where = buckets(made)
    n = len(made.starts) - 1
    total = np.bincount(where, weights=ratios[found], minlength=n)
    with np.errstate(invalid="ignore"):
        return (total / np.bincount(where, minlength=n)).astype(np.float32)


def nearest(vectors: NDArray[np.float32], seeds: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the largest cosine of each row of `vectors` with a row of `seeds`."""
    import numpy as np

    return np.asarray((_unit(vectors) @ _unit(seeds).T).max(axis=1), np.float32)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-12), np.float32)


@dataclass(frozen=True)
class Prepared:
    """The importance of the buckets, or the seeds' vectors and what made them."""

    arrays: Kept
    encoder: str | None


class Relevance:
    """The instrument: the column `relevance:score`."""

    def prepare(self, workspace: Workspace, settings: RelevanceSpec) -> Prepared:
        paths = [workspace.path(each.path) for each in settings.target]
        digests = [digest_of(p, f"clean.relevance.target.{n}.path") for n, p in enumerate(paths)]
        fields = [each.field for each in settings.target]
        by_meaning = settings.method == "embedding"
        about = settings.encoder if by_meaning else [workspace.fingerprint("pool"), BUCKETS, PROBE]
        mark = storage.digest([settings.method, digests, fields, about])

        def make() -> dict[str, Any]:
            texts = list(_target(workspace, settings))
            if not texts:
                raise DataError("clean.relevance: the target holds no text")
            if by_meaning:
                return {"seeds": _encoder(settings.encoder, str(workspace.root)).encode(texts)}
            return {"ratios": importance(counts(texts), _pool_counts(workspace))}

        kept = keep(workspace.root, "relevance", mark, make)
        place = str(workspace.root) if by_meaning else ""
        return Prepared(kept, f"{settings.encoder}\n{place}" if by_meaning else None)

    def measure(self, batch: Batch, prepared: Prepared) -> Mapping[str, pa.Array]:
        import numpy as np
        import pyarrow as pa

        arrays: Mapping[str, Any] = prepared.arrays.arrays()
        if prepared.encoder is None:
            found = scores(batch.edited, np.asarray(arrays["ratios"]))
        else:
            encoder = _encoder(*prepared.encoder.split("\n"))
            found = nearest(encoder.encode(batch.edited), np.asarray(arrays["seeds"]))
        return {SCORE: pa.array(found, pa.float32())}

    def settle(self, shards: Sequence[Path], settings: RelevanceSpec) -> RelevanceSpec:
        """Return the settings with the score that the top share of all documents reaches."""
        if settings.top is None:
            return settings
        import numpy as np
        import pyarrow.parquet as pq

        found = np.concatenate(
            [pq.read_table(path, columns=[SCORE])[SCORE].to_numpy() for path in shards]
        )
        known = np.sort(found[~np.isnan(found)])[::-1]
        keep_ = max(1, round(settings.top * len(found)))
        least = float(known[min(keep_, len(known)) - 1]) if len(known) else 0.0
        return settings.model_copy(update={"min": least, "top": None})

    def fails(self, measured: pa.Table, settings: RelevanceSpec) -> NDArray[np.bool_]:
        import numpy as np

        found = measured[SCORE].to_numpy()
        if settings.min is None:
            return np.zeros(len(found), bool)
        return np.asarray(np.isnan(found) | (found < np.float32(settings.min)))


def _target(workspace: Workspace, settings: RelevanceSpec) -> Iterable[str]:
    for each in settings.target:
        fields = (each.field,) if isinstance(each.field, str) else each.field
        yield from (text for _, text in read_texts(workspace.path(each.path), fields))


def _pool_counts(workspace: Workspace) -> NDArray[np.float64]:
    """Count the pool's buckets on documents drawn by id: the same ones whatever the order."""
    import numpy as np
    import pyarrow.parquet as pq

    rows = max(1, workspace.rows("pool"))
    cut = f"{min((1 << 32) - 1, int((1 << 32) * PROBE / rows)):08x}"
    total = np.zeros(BUCKETS)
    for path in workspace.shards("pool"):
        table = pq.read_table(path, columns=["id", "text"])
        chosen = np.array([id[:8] <= cut for id in table["id"].to_pylist()], bool)
        total += counts(table["text"].take(np.flatnonzero(chosen)).to_pylist())
    return total


@cache
def _encoder(name: str, root: str) -> Encoder:
    from curate.embed.encoders import load

    return load(name, Path(root), lambda: iter(()))
