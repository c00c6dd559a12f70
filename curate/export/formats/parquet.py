"""Parquet: row groups as they are written, read back a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.export.formats.format import BATCH, Write
from curate.export.values import rows_of

if TYPE_CHECKING:
    import pyarrow as pa


ROWS = 2_000
"""The most rows of a row group: a stream shuffles these, and reads one a group into memory."""


@contextmanager
def writing_parquet(path: Path, schema: pa.Schema) -> Iterator[Write]:
    """Yield what appends documents to a Parquet file, as row groups."""
    import pyarrow.parquet as pq

    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        yield lambda table: writer.write_table(table.select(schema.names), ROWS)


def read_parquet(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the documents of a Parquet shard, a batch in memory at a time."""
    for batch in read_batches(path, BATCH):
        yield from rows_of(batch)


def read_batches(
    path: Path, rows: int, columns: Sequence[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a Parquet file, at most so many at once.

    One call for all row groups would keep those that it has read.
    """
    import pyarrow.parquet as pq

    names = None if columns is None else list(columns)
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            yield from file.iter_batches(rows, columns=names, row_groups=[group])
