"""How a shard is written: JSONL or Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from curate import storage
from curate.export.documents import Document

if TYPE_CHECKING:
    import pyarrow as pa


def write(path: Path, documents: Iterable[Document]) -> None:
    """Write a shard as the ending of `path` says: `.jsonl` as JSON lines, else as Parquet."""
    if path.suffix == ".jsonl":
        with path.open("w", encoding="utf-8") as file:
            file.writelines(
                json.dumps(document, ensure_ascii=False) + "\n" for document in documents
            )
        return
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
