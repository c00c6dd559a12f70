"""The formats of shards: how each is written, and read back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from curate.export.documents import line_schema
from curate.export.labels import quoted

if TYPE_CHECKING:
    import pyarrow as pa

Write = Callable[["pa.Table"], None]
"""Appends rows to a shard."""

BATCH = 1_000
"""Rows that are Python objects at once."""


@contextmanager
def writing_jsonl(path: Path) -> Iterator[Write]:
    """Yield what appends documents to a file of JSON lines."""
    with path.open("w", encoding="utf-8") as file:
        yield lambda table: _write_lines(file, table)


def _write_lines(file: TextIO, table: pa.Table) -> None:
    """Write `json.dumps` of every document, put together from its parts."""
    words = ("id", "text", "source", "group", "license")
    stored = ("copy", "quality", "labels", "fields", "edited")
    for rows in table.to_batches(max_chunksize=BATCH):
        parts = [map(quoted, rows.column(name).to_pylist()) for name in words]
        parts += [rows.column(name).to_pylist() for name in stored]
        for id, text, source, group, license, copy, quality, labels, fields, edited in zip(
            *parts, strict=True
        ):
            more = f', "fields": {fields}' if fields else ""
            more += ', "edited": true' if edited else ""
            file.write(
                f'{{"id": {id}, "text": {text}, "source": {source}, "group": {group}, '
                f'"copy": {copy}, "license": {license}, '
                f'"quality": {"null" if quality is None else quality}, "labels": {labels}{more}}}\n'
            )


@contextmanager
def writing_parquet(path: Path) -> Iterator[Write]:
    """Yield what appends documents to a Parquet file, as row groups."""
    import pyarrow.parquet as pq

    schema = line_schema()
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        yield lambda table: writer.write_table(table.select(schema.names))


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the documents of a shard of JSON lines."""
    with path.open(encoding="utf-8") as file:
        yield from (json.loads(line) for line in file)


def read_parquet(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the documents of a Parquet shard, a batch in memory at a time."""
    for batch in read_batches(path, BATCH):
        for row in batch.to_pylist():
            row["labels"] = json.loads(row["labels"])
            row["fields"] = json.loads(row["fields"]) if row["fields"] else None
            yield row


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

    writing: Callable[[Path], AbstractContextManager[Write]]
    read: Callable[[Path], Iterator[dict[str, Any]]]


FORMATS: dict[str, Format] = {
    "jsonl": Format(writing_jsonl, read_jsonl),
    "parquet": Format(writing_parquet, read_parquet),
}
"""The formats of shards, by the name in the settings, which is the ending of the file too."""


def read_shard(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the documents of a shard, whose format its ending tells."""
    yield from FORMATS[path.suffix.removeprefix(".")].read(path)
