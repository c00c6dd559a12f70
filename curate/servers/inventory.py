"""What an embedded server holds, counted in its folder: it need not run, and is not asked."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from curate.servers.running import Home

DATABASES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "label_studio": (
        "data/label_studio.sqlite3",
        {"projects": "project", "texts": "task", "answers": "task_completion"},
    ),
    "argilla": (
        "data/argilla.db",
        {"projects": "datasets", "texts": "records", "answers": "responses"},
    ),
}
"""Where each server's database lies in its folder, and which table holds what."""


@dataclass(frozen=True)
class Inventory:
    """A server's folder, how large it is, and how many things lie in it, as far as known."""

    folder: Path
    bytes: int
    counts: Mapping[str, int] = field(default_factory=dict)


def take(home: Home, name: str) -> Inventory | None:
    """Return what the server of that name holds; None if it has never been started."""
    folder = home.home / "servers" / name
    if not folder.exists():
        return None
    place, tables = DATABASES[name]
    return Inventory(folder, sum(_sizes(folder)), dict(_counts(folder / place, tables)))


def _sizes(folder: Path) -> Iterator[int]:
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            with suppress(FileNotFoundError):  # a server that runs makes and removes files
                yield Path(place, name).lstat().st_size


def _counts(database: Path, tables: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Yield how many there are of each; nothing where the database cannot be read now."""
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=1)) as rows:
            for name, table in tables.items():
                yield name, rows.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    except sqlite3.Error:
        return
