"""The answers of a round: files that are only ever added, of which the newest row a key counts.

A file's metadata holds the cursors: where the next pull of each project goes on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from curate import storage, tables
from curate.records import replaces

Answer = Mapping[str, Any]
"""A row of the table `annotations`."""

KEY = ("id", "question", "annotator")
"""What identifies an answer within a round."""


def append(folder: Path, answers: list[dict[str, Any]], cursors: Mapping[str, str]) -> None:
    """Add answers as one more file; nothing that is there is touched."""
    number = max((int(path.stem) for path in storage.shards(folder)), default=0) + 1
    table = tables.rows("annotations", answers)
    table = table.replace_schema_metadata({"cursors": json.dumps(dict(cursors))})
    storage.write_parquet(folder / f"{number:04}.parquet", table)


def read_cursors(folder: Path) -> dict[str, str]:
    """Read where the next pull of each project goes on."""
    import pyarrow.parquet as pq

    files = storage.shards(folder)
    metadata = (pq.read_schema(files[-1]).metadata or {}) if files else {}
    return dict(json.loads(metadata.get(b"cursors", b"{}")))


def read_history(folder: Path, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Read every answer, oldest first; `names` maps ids of people that were replaced to today's."""
    import pyarrow.parquet as pq

    return [
        {**row, "annotator": names.get(row["annotator"], row["annotator"])}
        for path in storage.shards(folder)
        for row in pq.read_table(path).to_pylist()
    ]


def newest(rows: Iterable[dict[str, Any]], names: Sequence[str] = KEY) -> list[dict[str, Any]]:
    """Keep the newest answer of each key; ties go to the later row.

    A draft never shadows a submission. A withdrawal replaces whatever its time; so does any answer
    that comes after a withdrawal, because the server has it again.
    """
    kept: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[name] for name in names)
        before = kept.get(key)
        if before is None or replaces(row["status"], row["at"], before["status"], before["at"]):
            kept[key] = row
    return list(kept.values())
