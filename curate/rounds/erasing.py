"""Blank the texts of tasks that were taken down; their answers stay."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from curate import storage


def read_erased(folder: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Read the ids of the tasks that were taken down, and of those the server still holds."""
    record = storage.read_record(folder / "erased.json") or {}
    return frozenset(record.get("tasks", ())), frozenset(record.get("left", ()))


def erase(folder: Path, ids: Iterable[str], left_on_server: Iterable[str]) -> None:
    """Blank texts, suggestions and media of tasks, and write down which the server still holds."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    erased = set(ids)
    for name, blank in (("texts", _without_text), ("tasks", _without_content)):
        path = folder / f"{name}.parquet"
        if path.exists():
            table = pq.read_table(path)
            rows = [blank(row) if row["id"] in erased else row for row in table.to_pylist()]
            storage.write_parquet(path, pa.Table.from_pylist(rows, schema=table.schema))
    record = {"tasks": sorted(erased), "left": sorted(set(left_on_server))}
    storage.write_json(folder / "erased.json", record)


def _without_text(row: dict[str, Any]) -> dict[str, Any]:
    fields = [[name, ""] for name, _ in json.loads(row["fields"])]
    return {**row, "fields": json.dumps(fields, ensure_ascii=False), "edits": None}


def _without_content(row: dict[str, Any]) -> dict[str, Any]:
    return {name: None if name in ("suggestions", "media", "shown") else row[name] for name in row}
