"""The contents that are encoded: a digest of each kept document's text, after its edits.

    vectors/<encoder>/_contents/<shard>.npy        one 64-bit digest a kept document, in pool order

Vectors are found by these digests. So another limit, or a document that was dropped and is kept
again, re-encodes nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from heapq import nsmallest
from pathlib import Path
from typing import TYPE_CHECKING

from curate import storage
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FOLDER = "_contents"


def _digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=8).digest()


def digests(texts: Iterable[str]) -> NDArray[np.uint64]:
    """The digest of each text; two texts share one with a chance of 2^-64."""
    import numpy as np

    return np.frombuffer(b"".join(map(_digest, texts)), ">u8").astype(np.uint64)


def some(texts: Iterable[str], n: int) -> list[str]:
    """The n texts with the smallest digest: the same ones in any order."""
    return nsmallest(n, texts, key=_digest)


def path_of(folder: Path, shard: DocumentShard) -> Path:
    """Where the digests of a shard lie."""
    return folder / f"{Path(shard.name).stem}.npy"


@dataclass(frozen=True)
class Digest:
    """Writes the digests of a shard's kept documents, unless they are there."""

    folder: Path

    def __call__(self, shard: DocumentShard) -> int:
        """Write them; the number of documents, kept or not."""
        import numpy as np
        import pyarrow.parquet as pq

        path = path_of(self.folder, shard)
        if not path.exists():
            own = digests(shard.read(["text"])["text"].to_pylist())
            with storage.replacing(path) as temporary, temporary.open("wb") as file:
                np.save(file, own)
        return int(pq.read_metadata(shard.clean).num_rows)


def find(
    workspace: Workspace, shards: Sequence[DocumentShard], inputs: Mapping[str, str | None]
) -> Path:
    """The folder with the digests of today's documents: that of an encoder, or else a new one.

    `inputs` are the fingerprints of pool and clean. A new folder is scratch until `adopt`.
    """
    for manifest in sorted((workspace.root / "vectors").glob(f"*/{storage.MANIFEST}")):
        stored = storage.stored_folder(manifest.parent)
        folder = manifest.parent / FOLDER
        if stored is not None and stored.made.inputs == inputs and folder.is_dir():
            return folder
    scratch = workspace.root / ".building" / f"contents-{storage.digest(inputs)[:12]}"
    for other in scratch.parent.glob("contents-*"):
        if other != scratch:
            shutil.rmtree(other)
    documents = workspace.tables.rows("clean")
    with workspace.watch("reading what is to be encoded", documents) as advance:
        for _, rows in workspace.engine.each(Digest(scratch), shards):
            advance(rows)
    scratch.mkdir(parents=True, exist_ok=True)
    return scratch


def adopt(digests: Path, folder: Path) -> None:
    """Put digests that `find` returned into an encoder's folder."""
    own = folder / FOLDER
    if digests == own:
        return
    folder.mkdir(parents=True, exist_ok=True)
    is_scratch = digests.parent.name == ".building"
    copy = digests if is_scratch else Path(shutil.copytree(digests, folder / f"{FOLDER}.new"))
    shutil.rmtree(own, ignore_errors=True)
    copy.rename(own)


@dataclass(frozen=True)
class Sample:
    """The documents with the smallest digests, in their order: shard and row of each."""

    digests: NDArray[np.uint64]
    shards: NDArray[np.int64]
    rows: NDArray[np.int64]

    @classmethod
    def of(cls, folder: Path, shards: Sequence[DocumentShard], n: int) -> Sample:
        """The n smallest of all digests, read shard by shard."""
        import numpy as np

        sample = cls(np.zeros(0, np.uint64), np.zeros(0, np.int64), np.zeros(0, np.int64))
        for place, shard in enumerate(shards):
            own = np.load(path_of(folder, shard))
            everything = np.concatenate([sample.digests, own])
            order = np.argsort(everything, kind="stable")[:n]
            numbers = np.concatenate([sample.shards, np.full(len(own), place)])
            rows = np.concatenate([sample.rows, np.arange(len(own))])
            sample = cls(everything[order], numbers[order], rows[order])
        return sample

    def texts(self, shards: Sequence[DocumentShard]) -> list[str]:
        """Read the texts, in the order of the sample."""
        import numpy as np

        texts = [""] * len(self.digests)
        for number in np.unique(self.shards).tolist():
            places = np.flatnonzero(self.shards == number)
            column = shards[number].read(["text"])["text"].take(self.rows[places])
            for place, text in zip(places.tolist(), column.to_pylist(), strict=True):
                texts[place] = text
        return texts

    def changed(self, before: NDArray[np.uint64]) -> float:
        """The share of the sample that is not in an earlier one, or the other way round."""
        import numpy as np

        now, then = np.unique(self.digests), np.unique(before)
        size = max(len(now), len(then))
        return 1 - len(np.intersect1d(now, then, assume_unique=True)) / size if size else 0.0
