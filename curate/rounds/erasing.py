"""What was taken down of a round: the texts of tasks, and answers that quoted such texts."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate import storage

NAME = "erased.json"


@dataclass(frozen=True)
class Erased:
    """What was taken down: tasks, those of them that the server still holds, and answers.

    An answer is its task and the digest of its value.
    """

    tasks: frozenset[str] = frozenset()
    left: frozenset[str] = frozenset()
    answers: frozenset[tuple[str, str]] = frozenset()

    @staticmethod
    def read(folder: Path) -> Erased:
        """Read what was taken down of a round."""
        record = storage.read_record(folder / NAME) or {}
        answers = frozenset((task, value) for task, value in record.get("answers", ()))
        return Erased(
            frozenset(record.get("tasks", ())), frozenset(record.get("left", ())), answers
        )

    def write(self, folder: Path) -> None:
        """Write down what was taken down of a round."""
        storage.write_json(
            folder / NAME, {name: sorted(own) for name, own in vars(self).items() if own}
        )


def blank(folder: Path, erased: Collection[str]) -> None:
    """Blank texts, suggestions and media of tasks."""
    import pyarrow as pa

    for name, blanked in (("texts", _without_text), ("tasks", _without_content)):
        path = folder / f"{name}.parquet"
        if path.exists():
            table = storage.read_parquet(path)
            rows = [blanked(row) if row["id"] in erased else row for row in table.to_pylist()]
            storage.write_parquet(path, pa.Table.from_pylist(rows, schema=table.schema))


def _without_text(row: dict[str, Any]) -> dict[str, Any]:
    fields = [[name, ""] for name, _ in json.loads(row["fields"])]
    return {**row, "fields": json.dumps(fields, ensure_ascii=False), "edits": None}


def _without_content(row: dict[str, Any]) -> dict[str, Any]:
    return {name: None if name in ("suggestions", "media", "shown") else row[name] for name in row}
