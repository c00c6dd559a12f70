"""The formats of shards: how each is written, and read back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from curate.export.quoting import joined, object_parts

if TYPE_CHECKING:
    import pyarrow as pa

Write = Callable[["pa.Table"], None]
"""Appends rows to a shard."""

BATCH = 1_000
"""Rows of JSON that are made or read at once."""


@contextmanager
def writing_jsonl(path: Path, schema: pa.Schema) -> Iterator[Write]:
    """Yield what appends documents to a file of JSON lines."""
    with path.open("wb") as file:
        yield lambda table: _write_lines(file, table.select(schema.names))


def _write_lines(file: BinaryIO, table: pa.Table) -> None:
    """Write `json.dumps` of every document, put together from its columns."""
    for rows in table.to_batches(max_chunksize=BATCH):
        file.write(joined(*object_parts(rows.schema.names, rows.columns, "}\n")))


@contextmanager
def writing_parquet(path: Path, schema: pa.Schema) -> Iterator[Write]:
    """Yield what appends documents to a Parquet file, as row groups."""
    import pyarrow.parquet as pq

    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        yield lambda table: writer.write_table(table.select(schema.names))


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the documents of a shard of JSON lines."""
    with path.open(encoding="utf-8") as file:
        yield from (json.loads(line) for line in file)


def read_parquet(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the documents of a Parquet shard, a batch in memory at a time."""
    for batch in read_batches(path, BATCH):
        yield from batch.to_pylist()


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


@dataclass(frozen=True)
class Format:
    """How a shard is written, and read back."""

    writing: Callable[[Path, pa.Schema], AbstractContextManager[Write]]
    read: Callable[[Path], Iterator[dict[str, Any]]]


FORMATS: dict[str, Format] = {
    "jsonl": Format(writing_jsonl, read_jsonl),
    "parquet": Format(writing_parquet, read_parquet),
}
"""The formats of shards, by the name in the settings, which is the ending of the file too."""


def read_shard(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the documents of a shard, whose format its ending tells."""
    yield from FORMATS[path.suffix.removeprefix(".")].read(path)
