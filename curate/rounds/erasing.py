"""Blank the texts of tasks that were taken down; their answers stay."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from curate import storage


def read_erased(folder: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Read which tasks were taken down, and which of them the server still holds."""
    record = storage.read_json(folder / "erased.json") or {}
    return frozenset(record.get("tasks", ())), frozenset(record.get("left", ()))


def erase(folder: Path, gone: Iterable[str], left: Iterable[str]) -> None:
    """Blank the texts of tasks and what was suggested for them; `left` are still on the server."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    ids = set(gone)
    for name, blank in (("texts", _blanked), ("tasks", _unsuggested)):
        path = folder / f"{name}.parquet"
        if path.exists():
            table = pq.read_table(path)
            rows = [blank(row) if row["id"] in ids else row for row in table.to_pylist()]
            storage.write_parquet(path, pa.Table.from_pylist(rows, schema=table.schema))
    record = {"tasks": sorted(ids), "left": sorted(set(left))}
    storage.write_json(folder / "erased.json", record)


def _blanked(row: dict[str, Any]) -> dict[str, Any]:
    fields = [[name, ""] for name, _ in json.loads(row["fields"])]
    return {**row, "fields": json.dumps(fields, ensure_ascii=False), "edits": None}


def _unsuggested(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "suggestions": None}
