"""Erase media that a workspace copied, and the page that shows them.

Files of sources are not touched, as with texts. A medium that a document holds which stays is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from curate.workspace import Workspace

COPIES = "media"
"""The folder of the workspace with the copies of media (see `pool.media`)."""

REPORT = "report.html"

ROWS = 10_000
"""Rows of the pool that are looked through at once."""


def erase_media(workspace: Workspace, gone: frozenset[str]) -> int:
    """Delete the copies of media that only documents on the list hold; the number of files.

    Call it before their rows are erased: these say where the copies lie.
    """
    folder = (workspace.root / COPIES).resolve()
    if not folder.is_dir():
        return 0
    copies = {
        (workspace.root / medium["address"]).resolve()
        for id, medium in _held(workspace)
        if id in gone
    }
    copies = {path for path in copies if path.is_relative_to(folder) and path.is_file()}
    for id, medium in _held(workspace) if copies else ():
        if id not in gone:
            copies.discard((workspace.root / medium["address"]).resolve())
    for path in copies:
        path.unlink()
    return len(copies)


def _held(workspace: Workspace) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the id of each document of the pool with each of its media."""
    import pyarrow.parquet as pq

    for path in workspace.tables.shards("pool"):
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(ROWS, columns=["id", "media"]):
                for row in batch.filter(batch["media"].is_valid()).to_pylist():
                    yield from ((row["id"], medium) for medium in row["media"])


def erase_report(workspace: Workspace) -> bool:
    """Delete the page: it shows texts, and not beside each of them which document it is."""
    page = workspace.root / REPORT
    is_there = page.is_file()
    page.unlink(missing_ok=True)
    return is_there
