"""The lines of an export on disk, by piece: each shard of the documents is read once.

A spill is an Arrow file with the lines of some shards: for each shard one record batch a piece. A
piece is then read by seeks, one file at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage
from curate.export.documents import Reader
from curate.export.draws import read_schema
from curate.export.labels import LabelCounts, count_labels
from curate.export.media.columns import MediaCounts, count_media
from curate.export.order import Edges, read_keys
from curate.export.parts import Entries, Layout, Lines
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


@dataclass
class SpillCounts:
    """The number of lines, of their labels without the holdout's, and of all their media."""

    lines: int = 0
    labels: LabelCounts = field(default_factory=LabelCounts)
    media: MediaCounts = field(default_factory=MediaCounts)

    def as_json(self) -> list[Any]:
        """The counts as a mark holds them."""
        pairs = [[[*names, number] for names, number in own.items()] for own in self._pairs]
        return [self.lines, *pairs]

    @staticmethod
    def of(stored: list[Any]) -> SpillCounts:
        """The counts of a mark."""
        lines, *own = stored
        return SpillCounts(lines, *(Counter({(a, b): n for a, b, n in rows}) for rows in own))

    def add(self, other: SpillCounts) -> None:
        """Add those of another spill."""
        self.lines += other.lines
        for own, more in zip(self._pairs, other._pairs, strict=True):
            own.update(more)

    @property
    def _pairs(self) -> tuple[Counter[tuple[str, str]], ...]:
        return self.labels, self.media


@dataclass(frozen=True)
class Spill:
    """Spills the lines of some shards, by piece.

    `keys` is the folder of the lines' keys. `schema` is that of `spill_schema`.
    """

    read: Reader
    keys: Path
    edges: Edges
    schema: pa.Schema

    def __call__(self, item: Spilled) -> SpillCounts:
        """What the lines that are spilled hold.

        A mark beside the file tells it once the file is whole: then it is not written again.
        """
        mark = item[1].with_suffix(".json")
        done = storage.read_json(mark)
        if done is None:
            counts = self._write(*item)
            storage.write_json(mark, counts.as_json())
            return counts
        return SpillCounts.of(done)

    def _write(self, shards: Sequence[DocumentShard], path: Path) -> SpillCounts:
        import numpy as np
        import pyarrow as pa

        counts = SpillCounts()
        with pa.ipc.new_file(str(path), self.schema) as writer:
            for shard in shards:
                documents, entries = self.read(shard)
                own = self.read.layout.lines(entries)
                is_trained = entries.sequence[own.entry] != self.read.layout.holdout
                rows = documents.num_rows
                times = np.bincount(own.row[is_trained], minlength=rows)
                counts.labels.update(count_labels(documents, times))
                counts.media.update(count_media(documents, np.bincount(own.row, minlength=rows)))
                for piece in self._pieces(documents, entries, own, shard.number):
                    writer.write_batch(piece)
                    counts.lines += piece.num_rows
        return counts

    def _pieces(
        self, documents: pa.Table, entries: Entries, lines: Lines, number: int
    ) -> Iterator[pa.RecordBatch]:
        """Yield the lines of each piece, in order; a document's text is copied into its lines."""
        import numpy as np
        import pyarrow as pa

        keys, places = read_keys(self.keys, number)
        order = np.argsort(keys, kind="stable")
        keys, places = keys[order], places[order]
        lines = lines.take(order)
        columns = [column.combine_chunks() for column in documents.columns]
        whole = pa.RecordBatch.from_arrays(columns, documents.column_names)
        ends = self.edges.ends(keys, places)
        start = 0
        for first in range(0, len(ends), TOGETHER):
            some = ends[first : first + TOGETHER]
            here = slice(start, some[-1])
            own = lines.take(here)
            taken = whole.take(pa.array(own.row))
            batch = self._batch(taken, entries, own, keys[here], places[here])
            for end in some:
                yield batch.slice(start - here.start, end - start)
                start = end

    def _batch(
        self,
        documents: pa.RecordBatch,
        entries: Entries,
        lines: Lines,
        keys: NDArray[np.uint64],
        places: NDArray[np.uint64],
    ) -> pa.RecordBatch:
        import pyarrow as pa

        phases, groups = self.read.layout.names()
        sequence = pa.array(entries.sequence[lines.entry])
        arrays = dict(zip(documents.schema.names, documents.columns, strict=True))
        arrays |= {
            "copy": pa.array(lines.copy),
            "group": pa.array(groups, pa.string()).take(sequence),
            "phase": pa.array(phases, pa.string()).take(sequence),
            "copies": pa.array(entries.copies[lines.entry]),
            "key": pa.array(keys),
            "place": pa.array(places),
        }
        columns = [arrays[name].cast(self.schema.field(name).type) for name in self.schema.names]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)


def spill_schema(lines: pa.Schema, layout: Layout) -> pa.Schema:
    """The columns of a line as it is exported, those of its draw, and what it is sorted by."""
    import pyarrow as pa

    names = set(lines.names)
    more = [field for field in read_schema(layout) if field.name not in names]
    return pa.schema([*lines, *more, ("key", pa.uint64()), ("place", pa.uint64())])


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
