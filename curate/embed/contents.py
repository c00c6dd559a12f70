"""The contents that are encoded: a digest of each piece of the kept documents, after their edits.

    vectors/<encoder>/_contents/<shard>.npy         one 64-bit digest a piece, in pool order
    vectors/<encoder>/_contents/<shard>.starts.npy  where each document's pieces start

A piece is a whole text, or a window of one where texts are cut into windows (`_contents-SIZE`).
Media of a document belong to each of its pieces, by the sha256 of their bytes.
Vectors are found by these digests. So another limit, or a document that was dropped and is kept
again, re-encodes nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from heapq import nsmallest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage
from curate.media import Medium
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

FOLDER = "_contents"


def folder_name(window: int | None) -> str:
    """The name of the folder with the digests of whole texts, or of windows of that size."""
    return FOLDER if window is None else f"{FOLDER}-{window}"


def sizes(folder: Path) -> list[int | None]:
    """The sizes of the windows whose digests lie in an encoder's folder; None is whole texts."""
    names = [path.name.removeprefix(FOLDER) for path in folder.glob(f"{FOLDER}*")]
    windows = sorted(int(name[1:]) for name in names if name[1:].isdecimal())
    return [*([None] if "" in names else []), *windows]


def windows(text: str, size: int | None) -> list[str]:
    """The consecutive windows of a text, about equally long and of at most `size` characters.

    A window ends at white space if there is any in its last eighth, else within a word.
    """
    if size is None or len(text) <= size:
        return [text]
    ends, start = [], 0
    while len(text) - start > size:
        parts = -(-(len(text) - start) // size)
        longest = start + -(-(len(text) - start) // parts)
        start = next(
            (
                end
                for end in range(longest, longest - (longest - start) // 8, -1)
                if text[end - 1].isspace()
            ),
            longest,
        )
        ends.append(start)
    return [text[begin:end] for begin, end in zip([0, *ends], [*ends, None], strict=True)]


@dataclass(frozen=True)
class Pieces:
    """The pieces of a shard's kept documents that are encoded, in pool order.

    `starts` are where each document's pieces start, and their number at the end. `media` are those
    of each document with media, by its number.
    """

    ids: pa.ChunkedArray
    texts: pa.ChunkedArray
    starts: NDArray[np.int64]
    media: Mapping[int, tuple[Medium, ...]] = field(default_factory=dict)

    def media_of(self, places: NDArray[np.int64]) -> list[tuple[Medium, ...]]:
        """The media of some pieces."""
        import numpy as np

        numbers = np.searchsorted(self.starts, places, side="right") - 1
        return [self.media.get(number, ()) for number in numbers.tolist()]

    def digests(self) -> NDArray[np.uint64]:
        """The digest of each piece."""
        import numpy as np

        texts = self.texts.to_pylist()
        if not self.media:
            return digests(texts)
        media = self.media_of(np.arange(len(texts)))
        return digests(map(with_media, texts, media))

    @property
    def parts(self) -> NDArray[np.int32]:
        """The number of each piece within its document, from 0."""
        import numpy as np

        counts = np.diff(self.starts)
        return (np.arange(self.starts[-1]) - np.repeat(self.starts[:-1], counts)).astype(np.int32)


def pieces_of(shard: DocumentShard, window: int | None) -> Pieces:
    """Read the kept documents of a shard, and cut them into windows of that size."""
    import numpy as np
    import pyarrow as pa

    table = shard.read(["id", "text", "media"])
    media = _media(table["media"])
    if window is None:
        return Pieces(table["id"], table["text"], np.arange(table.num_rows + 1), media)
    cut = [windows(text, window) for text in table["text"].to_pylist()]
    counts = np.array([len(own) for own in cut], np.int64)
    ids = table["id"].take(np.repeat(np.arange(len(cut)), counts))
    texts = pa.chunked_array([pa.array([text for own in cut for text in own], pa.string())])
    return Pieces(ids, texts, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), media)


def _media(column: pa.ChunkedArray) -> dict[int, tuple[Medium, ...]]:
    """The media of the documents that have some, by row."""
    import pyarrow.compute as pc

    rows = pc.indices_nonzero(pc.fill_null(pc.greater(pc.list_value_length(column), 0), False))
    stored = column.take(rows).to_pylist()
    return {
        row: tuple(map(Medium.of, own)) for row, own in zip(rows.to_pylist(), stored, strict=True)
    }


def with_media(text: str, media: Sequence[Medium]) -> str:
    """A text whose digest stands for a text and its media."""
    marks = (medium.sha256 or medium.address for medium in media)
    return "\0".join((text, *marks)) if media else text


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


def starts_of(path: Path) -> Path:
    """Where the starts of the documents lie, beside the digests of their pieces."""
    return path.with_suffix(".starts.npy")


@dataclass(frozen=True)
class Digest:
    """Writes the digests of a shard's kept documents, unless they are there."""

    folder: Path
    window: int | None

    def __call__(self, shard: DocumentShard) -> int:
        """Write them; the number of documents, kept or not."""
        import pyarrow.parquet as pq

        path = path_of(self.folder, shard)
        if not path.exists():
            pieces = pieces_of(shard, self.window)
            if self.window is not None:
                _save(starts_of(path), pieces.starts)
            _save(path, pieces.digests())
        return int(pq.read_metadata(shard.clean).num_rows)


def _save(path: Path, numbers: NDArray[Any]) -> None:
    import numpy as np

    with storage.replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, numbers)


def find(
    workspace: Workspace,
    shards: Sequence[DocumentShard],
    inputs: Mapping[str, str | None],
    window: int | None = None,
) -> Path:
    """The folder with the digests of today's documents: that of an encoder, or else a new one.

    `inputs` are the fingerprints of pool and clean. A new folder is scratch until `adopt`.
    """
    for manifest in sorted((workspace.root / "vectors").glob(f"*/{storage.MANIFEST}")):
        stored = storage.stored_folder(manifest.parent)
        folder = manifest.parent / folder_name(window)
        if stored is not None and stored.made.inputs == inputs and folder.is_dir():
            return folder
    made_of = storage.digest({"inputs": dict(inputs), "window": window})[:12]
    scratch = workspace.root / ".building" / f"contents-{made_of}"
    for other in scratch.parent.glob("contents-*"):
        if other != scratch:
            storage.remove(other)
    documents = workspace.tables.rows("clean")
    with workspace.watch("reading what is to be encoded", documents) as advance:
        for _, rows in workspace.engine.each(Digest(scratch, window), shards):
            advance(rows)
    scratch.mkdir(parents=True, exist_ok=True)
    return scratch


def forget(folder: Path, but: Path) -> None:
    """Delete the digests in an encoder's folder, `but` for these: they are of other documents."""
    for own in folder.glob(f"{FOLDER}*"):
        if own != but:
            storage.remove(own)


def adopt(digests: Path, folder: Path, window: int | None = None) -> None:
    """Put digests that `find` returned into an encoder's folder."""
    own = folder / folder_name(window)
    if digests == own:
        return
    folder.mkdir(parents=True, exist_ok=True)
    if digests.parent.name != ".building":
        copy = folder / f"{own.name}.new"
        storage.remove(copy)  # of a killed run
        digests = Path(shutil.copytree(digests, copy))
    storage.swap(digests, own)


@dataclass(frozen=True)
class Sample:
    """The pieces with the smallest digests, in their order: shard and place of each."""

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

    def texts(self, shards: Sequence[DocumentShard], window: int | None = None) -> list[str]:
        """Read the texts, in the order of the sample."""
        import numpy as np

        texts = [""] * len(self.digests)
        for number in np.unique(self.shards).tolist():
            places = np.flatnonzero(self.shards == number)
            column = pieces_of(shards[number], window).texts.take(self.rows[places])
            for place, text in zip(places.tolist(), column.to_pylist(), strict=True):
                texts[place] = text
        return texts

    def changed(self, before: NDArray[np.uint64]) -> float:
        """The share of the sample that is not in an earlier one, or the other way round."""
        import numpy as np

        now, then = np.unique(self.digests), np.unique(before)
        size = max(len(now), len(then))
        return 1 - len(np.intersect1d(now, then, assume_unique=True)) / size if size else 0.0
