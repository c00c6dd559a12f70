"""The lines of an export on disk, by piece: each shard of the documents is read once.

A spill is an Arrow file with the lines of some shards: for each shard one record batch a piece. A
piece is then read by seeks, one file at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from curate.export.documents import Reader
from curate.export.labels import LabelCounts, count_labels
from curate.export.order import Edges, read_keys
from curate.export.phases import Lines
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

SPILLS = 256
"""The most files that are spilled to, and so the most that a piece has to open."""

TOGETHER = 32
"""Pieces whose lines are copied at once: a document may have many copies, but few of them here."""

Spilled = tuple[Sequence[DocumentShard], Path]
"""Some shards of the documents, and the file that their lines are spilled to."""


def spilled(shards: Sequence[DocumentShard], folder: Path) -> list[Spilled]:
    """The shards by the file that their lines go to."""
    size = -(-len(shards) // SPILLS)
    chunks = [shards[start : start + size] for start in range(0, len(shards), max(1, size))]
    return [(chunk, folder / f"{number:05}.arrow") for number, chunk in enumerate(chunks)]


@dataclass(frozen=True)
class Spill:
    """Spills the lines of some shards, by piece.

    `keys` is the folder of the lines' keys. `schema` is that of `spill_schema`.
    """

    read: Reader
    keys: Path
    edges: Edges
    schema: pa.Schema

    def __call__(self, item: Spilled) -> tuple[int, LabelCounts]:
        """The number of lines that were spilled, and of their labels."""
        import pyarrow as pa

        shards, path = item
        lines, labels = 0, LabelCounts()
        with pa.ipc.new_file(str(path), self.schema) as writer:
            for shard in shards:
                documents = self.read(shard)
                labels.update(count_labels(documents))
                for piece in self._pieces(documents, shard.number):
                    writer.write_batch(piece)
                    lines += piece.num_rows
        return lines, labels

    def _pieces(self, documents: pa.Table, number: int) -> Iterator[pa.RecordBatch]:
        """Yield the lines of each piece, in order; a document's text is copied into its lines."""
        import numpy as np
        import pyarrow as pa

        keys, places = read_keys(self.keys, number)
        order = np.argsort(keys, kind="stable")
        keys, places = keys[order], places[order]
        lines = self.read.phases.lines(documents).take(order)
        columns = [column.combine_chunks() for column in documents.columns]
        whole = pa.RecordBatch.from_arrays(columns, documents.column_names)
        ends = self.edges.ends(keys, places)
        start = 0
        for first in range(0, len(ends), TOGETHER):
            some = ends[first : first + TOGETHER]
            here = slice(start, some[-1])
            own = lines.take(here)
            taken = whole.take(pa.array(own.row))
            batch = self._batch(taken, own, keys[here], places[here])
            for end in some:
                yield batch.slice(start - here.start, end - start)
                start = end

    def _batch(
        self,
        documents: pa.RecordBatch,
        lines: Lines,
        keys: NDArray[np.uint64],
        places: NDArray[np.uint64],
    ) -> pa.RecordBatch:
        import pyarrow as pa

        arrays = dict(zip(documents.schema.names, documents.columns, strict=True))
        arrays |= {"copy": pa.array(lines.copy), "key": pa.array(keys), "place": pa.array(places)}
        phases = self.read.phases
        if phases.names:
            arrays |= {"group": phases.group(documents, lines.part)}
            arrays |= {"phase": phases.phase(lines.part)}
        columns = [arrays[name] for name in self.schema.names]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)


def spill_schema(lines: pa.Schema) -> pa.Schema:
    """The columns of a line as it is exported, its tokens, and what it is sorted by."""
    import pyarrow as pa

    own = [("tokens", pa.int64()), ("key", pa.uint64()), ("place", pa.uint64())]
    return pa.schema([*lines, *own])


def read_piece(paths: Sequence[Path], schema: pa.Schema, pieces: int, piece: int) -> pa.Table:
    """The lines of one of so many pieces, in order, from all spills, which have a schema."""
    import numpy as np
    import pyarrow as pa

    parts = []
    for path in paths:
        with pa.OSFile(str(path)) as file:
            reader = pa.ipc.open_file(file)
            batches = range(piece, reader.num_record_batches, pieces)
            parts += [reader.get_batch(number) for number in batches]
    lines = pa.Table.from_batches(parts, schema)
    order = np.lexsort((lines["place"].to_numpy(), lines["key"].to_numpy()))
    return lines.take(pa.array(order))
