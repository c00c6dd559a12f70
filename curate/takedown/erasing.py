"""Erase documents: rows, vectors, tasks on servers, exports."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from curate import storage
from curate.errors import BackendError, ServerError
from curate.pull.fetching import fetch
from curate.rounds import Batch, Round
from curate.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa


def erase_rows(workspace: Workspace, gone: frozenset[str]) -> int:
    """Take the rows out of pool and clean, shard by shard, and out of duplicates."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    erased = 0
    for name in ("clean/_signatures", "clean", "pool"):
        folder = workspace.root / name
        for path in storage.shards(folder):
            erased_here = _without(path, gone)
            erased += erased_here if name == "pool" else 0
        stored = storage.stored_folder(folder)
        if stored is not None:
            storage.seal(folder, stored.made)
    stored = workspace.tables.stored("duplicates")
    if stored is not None:
        table = pq.read_table(workspace.tables.folder("duplicates"))
        kept = table.filter(pc.invert(pc.is_in(table["id"], _array(gone))))
        if kept.num_rows < table.num_rows:
            storage.write_file_table(workspace.tables.folder("duplicates"), kept, stored.made)
    return erased


def erase_vectors(workspace: Workspace, gone: frozenset[str]) -> int:
    erased = 0
    folders = [path.parent for path in (workspace.root / "vectors").glob("*/_manifest.json")]
    for folder in folders:
        stored = storage.stored_folder(folder)
        erased += sum(_without(path, gone) for path in storage.shards(folder))
        if stored is not None:
            storage.seal(folder, stored.made)
    return erased


def _without(path: Path, gone: frozenset[str]) -> int:
    """Write a shard again without some documents; one that is left empty goes."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    kept = table.filter(pc.invert(pc.is_in(table["id"], _array(gone))))
    if not kept.num_rows:
        path.unlink()
    elif kept.num_rows < table.num_rows:
        storage.write_parquet(path, kept)
    return int(table.num_rows - kept.num_rows)


def _array(ids: Iterable[str]) -> pa.Array:
    import pyarrow as pa

    return pa.array(sorted(ids), pa.string())


def erase_tasks(workspace: Workspace, gone: frozenset[str]) -> tuple[int, list[str]]:
    """Erase the tasks that show any of them: on the servers, and in the rounds in any case."""
    erased, notes = 0, []
    for each in workspace.rounds.all():
        ids = _tasks(each, gone)
        todo = (ids - each.erased) | (ids & each.left_on_server)
        if not todo:
            continue
        left: set[str] = set()
        try:
            for batch in each.batches if each.purpose != "import" else ():
                erased += _erase_batch(workspace, each, batch, todo)
        except (BackendError, ServerError) as error:
            left = todo
            notes.append(
                f"round {each.number}: the server may still hold {len(todo)} tasks: "
                f"{error.message}; run this again when it answers"
            )
        each.erase(ids, left=left)
    return erased, notes


def _tasks(current: Round, gone: Collection[str]) -> set[str]:
    """Return the tasks of a round that show any of these documents."""
    shown = current.documents().items()
    return {task for task, documents in shown if task in gone or set(documents) & set(gone)}


def _erase_batch(workspace: Workspace, current: Round, batch: Batch, ids: set[str]) -> int:
    backend = workspace.connect(batch.project.backend)
    if not current.closed:
        fetch(workspace, current, backend, batch)  # answers come home before their tasks go
    asked = {row["id"] for row in current.tasks() if row["batch"] == batch.name}
    return backend.erase(backend.open_project(batch.project), sorted(ids & asked))


def answers(workspace: Workspace, gone: set[str]) -> int:
    kept = 0
    for each in workspace.rounds.all():
        tasks = _tasks(each, gone)
        kept += sum(row["id"] in tasks for row in each.answers())
    return kept
