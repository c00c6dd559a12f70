"""The documents of a group: their lengths, their order in each epoch, and how they are read.

A block is a row group of Parquet, or some lines of JSON. An epoch reads the blocks in random order,
and the documents of each in random order, so one block a group is in memory.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.errors import DataError
from curate.export.values import rows_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LINES = 2_000
"""Lines of a block of JSON."""

Document = dict[str, Any]


@dataclass(frozen=True)
class Block:
    """So many documents of a shard: its row group `number`, or its lines from `start` on."""

    path: Path
    number: int
    start: int
    documents: int


def blocks_of(path: Path, documents: int) -> list[Block]:
    """The blocks of a shard. Raises DataError for a format that cannot be streamed."""
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        metadata = pq.read_metadata(path)
        sizes = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
    elif path.suffix == ".jsonl":
        starts = range(0, documents, LINES)
        sizes = [min(LINES, documents - start) for start in starts]
    else:
        raise DataError(
            f"{path} cannot be streamed", hint="export with `format: parquet` or `jsonl`"
        )
    blocks, start = [], 0
    for number, size in enumerate(sizes):
        blocks.append(Block(path, number, start, size))
        start += size
    return blocks


def columns_of(path: Path) -> list[str]:
    """The columns of the documents of a shard."""
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        return list(pq.read_schema(path).names)
    with path.open("rb") as file:
        return list(json.loads(file.readline()))


@dataclass(frozen=True)
class Epoch:
    """The order of an epoch: its blocks one after the other, and the rows of each.

    `blocks` are their numbers, `starts` the documents before each, `rows` the rows of all documents
    in their blocks, `ends` the tokens up to the end of each document.
    """

    number: int
    blocks: NDArray[np.int64]
    starts: NDArray[np.int64]
    rows: NDArray[np.int64]
    ends: NDArray[np.int64]


@dataclass
class Group:
    """A group of an export: its blocks, and the tokens of each document as the budget counts."""

    name: str
    blocks: Sequence[Block]
    tokens: NDArray[np.int64]
    seed: int
    _epoch: Epoch | None = field(default=None, repr=False)

    def epoch(self, number: int) -> Epoch:
        """The order of an epoch, by its number from 0."""
        if self._epoch is None or self._epoch.number != number:
            self._epoch = self._shuffled(number)
        return self._epoch

    def ends(self, epoch: int) -> NDArray[np.int64]:
        """The tokens up to the end of each document, in the order of an epoch."""
        return self.epoch(epoch).ends

    def _shuffled(self, epoch: int) -> Epoch:
        import numpy as np

        words = f"{self.seed} {self.name} {epoch}".encode()
        bits = np.random.PCG64(int.from_bytes(blake2b(words, digest_size=16).digest()))
        of_blocks = bits.random_raw(len(self.blocks))
        sizes = np.array([block.documents for block in self.blocks])
        order = np.lexsort((bits.random_raw(len(self.tokens)), np.repeat(of_blocks, sizes)))
        blocks = np.argsort(of_blocks, kind="stable")
        firsts = np.repeat((np.cumsum(sizes) - sizes)[blocks], sizes[blocks])
        starts = np.cumsum(sizes[blocks]) - sizes[blocks]
        return Epoch(epoch, blocks, starts, order - firsts, np.cumsum(self.tokens[order]))

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what can be made again: workers get a small value."""
        return {**self.__dict__, "_epoch": None}


@dataclass
class Reader:
    """Reads documents of a group; the block that was read last stays in memory.

    `columns` are those that are wanted; None is all.
    """

    group: Group
    columns: Sequence[str] | None
    _loaded: tuple[tuple[int, int], list[Any]] | None = None
    _file: tuple[Path, Any] | None = None

    def read(self, epochs: NDArray[np.int64], numbers: NDArray[np.int64]) -> list[Document]:
        """The documents with these numbers in the orders of their epochs, in ascending order."""
        import numpy as np

        documents: list[Any] = []
        for one in np.unique(epochs).tolist():
            epoch = self.group.epoch(one)
            own = numbers[epochs == one]
            turn = np.searchsorted(epoch.starts, own, "right") - 1
            cuts = [0, *(1 + np.flatnonzero(np.diff(turn))).tolist(), len(own)]
            for start, stop in pairwise(cuts):
                loaded = self._block(epoch, int(turn[start]))
                rows = (own[start:stop] - epoch.starts[turn[start]]).tolist()
                is_run = rows[-1] - rows[0] + 1 == len(rows)
                documents += (
                    loaded[rows[0] : rows[-1] + 1] if is_run else [loaded[row] for row in rows]
                )
        is_parsed = not documents or isinstance(documents[0], dict)
        return documents if is_parsed else [self._parsed(line) for line in documents]

    def _block(self, epoch: Epoch, turn: int) -> list[Any]:
        """The documents of a block, in the order of an epoch; JSON lines as they are stored."""
        if self._loaded is None or self._loaded[0] != (epoch.number, turn):
            self._loaded = None
            block = self.group.blocks[epoch.blocks[turn]]
            start = int(epoch.starts[turn])
            rows = epoch.rows[start : start + block.documents]
            self._loaded = (epoch.number, turn), self._load(block, rows)
        return self._loaded[1]

    def _load(self, block: Block, rows: NDArray[np.int64]) -> list[Any]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if block.path.suffix != ".parquet":
            lines = _lines(block)
            return [lines[row] for row in rows.tolist()]
        columns = None if self.columns is None else list(self.columns)
        if self._file is None or self._file[0] != block.path:
            self._file = block.path, pq.ParquetFile(block.path)
        file = self._file[1]
        table = file.read_row_group(block.number, columns=columns, use_threads=False)
        return rows_of(table.take(pa.array(rows)))

    def _parsed(self, line: bytes) -> Document:
        document: Document = json.loads(line)
        if self.columns is None:
            return document
        return {name: document[name] for name in self.columns}


def _lines(block: Block) -> list[bytes]:
    """The lines of a block."""
    with block.path.open("rb") as file:
        file.seek(_offsets(block.path)[block.number])
        return [file.readline() for _ in range(block.documents)]


@cache
def _offsets(path: Path) -> list[int]:
    """Where the blocks of a file begin, in bytes."""
    offsets, place = [], 0
    with path.open("rb") as file:
        for number, line in enumerate(file):
            if number % LINES == 0:
                offsets.append(place)
            place += len(line)
    return offsets
