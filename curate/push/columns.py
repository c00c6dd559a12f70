"""Columns of the documents that a round shows."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from curate.workspace import Workspace
from curate.workspace.index import find_rows, keys_of


def column_of(workspace: Workspace, column: str, ids: Collection[str]) -> dict[str, Any]:
    """A column of some documents by id, also of those that `clean` has dropped since."""
    import pyarrow as pa

    keys = keys_of(pa.array(sorted(ids), pa.string()))
    values: dict[str, Any] = {}
    for shard in workspace.documents.shards():
        rows = find_rows(shard.clean, keys)
        if len(rows):
            table = shard.read(["id", column], dropped=True, rows=rows)
            values |= dict(zip(*(part.to_pylist() for part in table.columns), strict=True))
    return {id: values[id] for id in ids if id in values}
