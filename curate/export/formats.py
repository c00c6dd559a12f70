"""The formats of shards: how each is written and read back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage
from curate.export.documents import Document

if TYPE_CHECKING:
    import pyarrow as pa


def write_jsonl(path: Path, documents: Iterable[Document]) -> None:
    """Write a shard as JSON lines."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(document, ensure_ascii=False) + "\n" for document in documents)


def write_parquet(path: Path, documents: Iterable[Document]) -> None:
    """Write a shard as Parquet."""
    storage.write_parquet(path, _as_table(documents))


def _as_table(documents: Iterable[Document]) -> pa.Table:
    """The documents as columns; labels and fields are JSON, since their keys differ."""
    import pyarrow as pa

    schema = pa.schema(
        [
            *((name, pa.string()) for name in ("id", "text", "source", "group", "license")),
            ("copy", pa.int32()),
            ("quality", pa.float64()),
            ("labels", pa.string()),
            ("fields", pa.string()),
            ("edited", pa.bool_()),
        ]
    )
    rows = [
        {
            **document,
            "labels": json.dumps(document["labels"], ensure_ascii=False),
            "fields": json.dumps(document["fields"], ensure_ascii=False)
            if "fields" in document
            else None,
        }
        for document in documents
    ]
    return pa.Table.from_pylist(rows, schema=schema)


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the documents of a shard of JSON lines."""
    with path.open(encoding="utf-8") as file:
        yield from (json.loads(line) for line in file)


def read_parquet(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the documents of a Parquet shard."""
    import pyarrow.parquet as pq

    for row in pq.read_table(path).to_pylist():
        row["labels"] = json.loads(row["labels"])
        row["fields"] = json.loads(row["fields"]) if row["fields"] else None
        yield row


@dataclass(frozen=True)
class Format:
    """How shards are written, and read back."""

    write: Callable[[Path, Iterable[Document]], None]
    read: Callable[[Path], Iterator[dict[str, Any]]]


FORMATS: dict[str, Format] = {
    "jsonl": Format(write_jsonl, read_jsonl),
    "parquet": Format(write_parquet, read_parquet),
}
"""The formats of shards, by the name in the settings, which is the ending of the file too."""


def read_shard(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the documents of a shard, whose format its ending tells."""
    yield from FORMATS[path.suffix.removeprefix(".")].read(path)
