"""The content of an embedded server, counted in its folder: the server need not run."""

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
"""The path of each server's database in its folder, and its tables by what they hold."""


@dataclass(frozen=True)
class Inventory:
    """A server's folder, its size in bytes, and the number of each thing in it, as far as known."""

    folder: Path
    bytes: int
    counts: Mapping[str, int] = field(default_factory=dict)


def take(home: Home, name: str) -> Inventory | None:
    """The content of the server of that name; None if it was never started."""
    folder = home.home / "servers" / name
    if not folder.exists():
        return None
    place, tables = DATABASES[name]
    return Inventory(folder, sum(_sizes(folder)), dict(_counts(folder / place, tables)))


def _sizes(folder: Path) -> Iterator[int]:
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            with suppress(FileNotFoundError):  # a server that runs makes and removes files
                yield Path(parent, name).lstat().st_size


def _counts(database: Path, tables: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Yield (thing, number); nothing if the database cannot be read now."""
    try:
        address = f"{database.as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=1)) as connection:
            for name, table in tables.items():
                (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
                yield name, count
    except sqlite3.Error:
        return
