"""Where a document came from, and the copies of it that were not kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from curate.trace.results import Duplicate, Origin
from curate.workspace import Workspace

ROWS = 100_000
"""The rows of a table that are looked through at once."""

OF_POOL = (
    *("id", "source", "origin", "also", "license", "language", "tokens", "batch", "holdout"),
    "media",
)
"""The columns of the pool that tell where a document came from."""


def origin_of(row: Mapping[str, Any]) -> Origin:
    """The origin of a document, from its row of the pool."""
    return Origin(
        source=row["source"],
        origin=row["origin"],
        also=tuple(row["also"] or ()),
        license=row["license"],
        language=row["language"],
        tokens=row["tokens"],
        batch=row["batch"],
        held_out=row["holdout"],
    )


def exact_copies(workspace: Workspace, id: str) -> Iterator[Duplicate]:
    """Yield the exact copies of a document, which the pool did not keep."""
    if workspace.tables.stored("duplicates") is None:
        return
    path = workspace.tables.folder("duplicates")
    for row in matching(path, "id", id, ["id", "source", "origin"]):
        yield Duplicate("exact copy", id, row["source"], row["origin"])


def near_copies(workspace: Workspace, id: str, verdict: Mapping[str, Any]) -> Iterator[Duplicate]:
    """Yield the near-duplicates that went for a document, or the one that was kept instead."""
    shards = workspace.documents.shards()
    kept = verdict["duplicate_of"]
    about = ["id", "source", "origin"]
    for table in workspace.documents.lookup([kept], about) if kept else ():
        for row in table.to_pylist():
            yield Duplicate("kept instead", *_told(row), similarity=verdict["similarity"])
    for shard in shards:
        pairs = {
            row["id"]: row["similarity"]
            for row in matching(shard.clean, "duplicate_of", id, ["id", "similarity"])
        }
        if pairs:
            for row in matching(shard.pool, "id", list(pairs), about):
                yield Duplicate("near-duplicate", *_told(row), similarity=pairs[row["id"]])


def _told(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["id"], row["source"], row["origin"]


def matching(
    path: Path, column: str, values: str | list[str], columns: list[str]
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a Parquet file whose `column` is one of some values, read in batches."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    wanted = pa.array([values] if isinstance(values, str) else values, pa.string())
    names = list(dict.fromkeys([column, *columns]))
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(ROWS, columns=names):
            yield from batch.filter(pc.is_in(batch[column], wanted)).to_pylist()
