"""Token shards: the ids of all documents one after the other, and where each document ends.

`data-00000.bin` holds little-endian uint16, or uint32 where ids need it. `data-00000.idx` holds
little-endian uint64: 0, then for each document the number of ids up to its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from curate.export.formats.format import BATCH, Format, Write
from curate.export.formats.token_ids import encoder, end_id

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

ENDING = ".bin"


def index_path(shard: Path) -> Path:
    """Where the index of a token shard lies."""
    return shard.with_suffix(".idx")


@dataclass(frozen=True)
class TokenIds:
    """How ids are written: by which tokenizer, after which token, and in numbers of which type.

    `end` is the id that is appended to each document, if one is. `dtype` is as numpy names it.
    """

    tokenizer: str
    end: int | None
    dtype: str

    @staticmethod
    def of(tokenizer: str, end_of_text: str | int | None) -> TokenIds:
        """The ids of a tokenizer. RecipeError if it is not there, or has no such `end_of_text`."""
        known = encoder(tokenizer)
        end = end_id(known, end_of_text)
        largest = max(known.size - 1, end or 0)
        return TokenIds(tokenizer, end, "<u2" if largest < 1 << 16 else "<u4")

    @property
    def format(self) -> Format:
        """The format of these ids."""
        return Format(ENDING, self, read_ids, media="nowhere")

    def __call__(self, path: Path, schema: pa.Schema) -> AbstractContextManager[Write]:
        """Open a token shard."""
        return self._open(path)

    @contextmanager
    def _open(self, path: Path) -> Iterator[Write]:
        """Yield what appends the ids of documents to a shard, and their ends to its index."""
        with path.open("wb") as file, index_path(path).open("wb") as index:
            shard = _Shard(self, file, index)
            index.write(bytes(8))
            yield shard.append


@dataclass
class _Shard:
    """A shard that is written; `size` is the number of its ids so far."""

    ids: TokenIds
    file: BinaryIO
    index: BinaryIO
    size: int = 0

    def append(self, table: pa.Table) -> None:
        """Write the ids of documents."""
        import numpy as np

        encode = encoder(self.ids.tokenizer).encode
        end = [] if self.ids.end is None else [self.ids.end]
        for rows in table.select(["text"]).to_batches(max_chunksize=BATCH):
            documents = [encode(text) + end for text in rows.column(0).to_pylist()]
            ends = self.size + np.cumsum([len(document) for document in documents])
            for document in documents:
                self.file.write(np.asarray(document, self.ids.dtype).tobytes())
            self.index.write(ends.astype("<u8").tobytes())
            self.size = int(ends[-1])


def read_ids(path: Path) -> Iterator[dict[str, Any]]:
    """Refuse: a shard's ids mean nothing without its manifest; see `documents_of`."""
    raise ValueError("a token shard is read with its manifest")
    yield {}


def documents_of(path: Path, dtype: str) -> Iterator[NDArray[np.unsignedinteger[Any]]]:
    """Yield the ids of each document. ValueError if the index is not that of the shard."""
    import numpy as np

    with path.open("rb") as file, index_path(path).open("rb") as index:
        whole = path.stat().st_size // np.dtype(dtype).itemsize
        at = int.from_bytes(index.read(8), "little")
        if at:
            raise ValueError("its index does not begin with 0")
        while block := index.read(8 * BATCH):
            for end in np.frombuffer(block, "<u8").tolist():
                if not at <= end <= whole:
                    raise ValueError("its index leaves the shard")
                yield np.fromfile(file, dtype, end - at)
                at = end
        if at * np.dtype(dtype).itemsize != path.stat().st_size:
            raise ValueError("its index ends before the shard does")
