"""Erase documents: rows, vectors, tasks on servers, exports."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from curate import storage
from curate.backends import Backend
from curate.embed.erasing import erase
from curate.errors import BackendError, ServerError
from curate.fetching.projects import fetch
from curate.people.users import Directory
from curate.rounds import Batch, Round
from curate.takedown.quoting import Quotation, quotations
from curate.workspace import Workspace, examples, index

if TYPE_CHECKING:
    import pyarrow as pa


BESIDE = ("_signatures", "_unpassaged", "_passages")
"""The folders beside the shards of clean with rows of single documents; none of them has text."""


def erase_rows(workspace: Workspace, gone: frozenset[str]) -> int:
    """Remove the rows from pool and clean, shard by shard, and from duplicates.

    Returns the number of rows that were removed from pool.
    """
    import pyarrow.compute as pc

    erased = 0
    for name in (*(f"clean/{folder}" for folder in BESIDE), "clean", "pool"):
        folder = workspace.root / name
        for path in storage.shards(folder):
            dropped = _drop_rows(path, gone)
            if dropped and name == "clean":
                index.path_of(path).unlink(missing_ok=True)
            erased += dropped if name == "pool" else 0
        stored = storage.stored_folder(folder)
        if stored is not None:
            storage.seal(folder, stored.made)
    examples.erase(workspace.tables.folder("clean"), gone)
    stored = workspace.tables.stored("duplicates")
    if stored is not None:
        table = storage.read_parquet(workspace.tables.folder("duplicates"))
        remaining = table.filter(pc.invert(pc.is_in(table["id"], _array(gone))))
        if remaining.num_rows < table.num_rows:
            folder = workspace.tables.folder("duplicates")
            storage.write_file_table(folder, remaining, stored.made)
    return erased


def erase_vectors(workspace: Workspace, gone: frozenset[str]) -> int:
    """Remove the vectors of documents, of every encoder; return how many were removed."""
    folders = (path for path in (workspace.root / "vectors").glob("*") if path.is_dir())
    return sum(erase(folder, _array(gone)) for folder in folders)


def _drop_rows(path: Path, gone: frozenset[str]) -> int:
    """Drop documents from a shard, and delete it if it is empty; return how many were dropped."""
    import pyarrow.compute as pc

    table = storage.read_parquet(path)
    remaining = table.filter(pc.invert(pc.is_in(table["id"], _array(gone))))
    if not remaining.num_rows:
        path.unlink()
    elif remaining.num_rows < table.num_rows:
        storage.write_parquet(path, remaining)
    return int(table.num_rows - remaining.num_rows)


def _array(ids: Iterable[str]) -> pa.Array:
    import pyarrow as pa

    return pa.array(sorted(ids), pa.string())


def erase_tasks(workspace: Workspace, gone: frozenset[str]) -> tuple[int, list[str]]:
    """Erase the tasks that show any of the documents, in the rounds and on their servers.

    If a server fails, the round notes which tasks are left on it. Returns the number of tasks
    erased on servers, and notes on those that are left.
    """
    erased, notes = 0, []
    for round_, todo in _to_do(workspace, gone):
        left: set[str] = set()
        try:
            for batch in _sent(round_):
                erased += _erase_batch(workspace, round_, batch, todo)
        except (BackendError, ServerError) as error:
            left = todo
            notes.append(
                f"round {round_.number}: the server may still hold {len(todo)} tasks: "
                f"{error.message}; run this again when it answers"
            )
        round_.erase(todo, left=left)
    return erased, notes


def _to_do(workspace: Workspace, gone: frozenset[str]) -> Iterator[tuple[Round, set[str]]]:
    """Yield each round that shows any of the documents, with the tasks that are to be erased."""
    for round_ in workspace.rounds.all():
        ids = _tasks_showing(round_, gone)
        if todo := (ids - round_.erased) | (ids & round_.taken_down.left):
            yield round_, todo


def _sent(round_: Round) -> tuple[Batch, ...]:
    return round_.batches if round_.purpose != "import" else ()


def bring_home(workspace: Workspace, gone: frozenset[str]) -> None:
    """Fetch the answers of open rounds that show any of the documents: they may quote them.

    A server that does not answer is told when its tasks are erased.
    """
    for round_, _ in _to_do(workspace, gone):
        with suppress(BackendError, ServerError):
            for batch in _sent(round_) if not round_.closed else ():
                _fetch(workspace, round_.number, batch, workspace.connect(batch.project.backend))


def _fetch(workspace: Workspace, number: int, batch: Batch, backend: Backend) -> None:
    directory = Directory.of(workspace.root, backend)
    fetch(workspace, workspace.rounds.numbered(number), backend, batch, directory)


def _tasks_showing(round_: Round, gone: Collection[str]) -> set[str]:
    """The tasks of a round that show any of the documents."""
    pairs = round_.documents().items()
    return {task for task, documents in pairs if task in gone or set(documents) & set(gone)}


def _erase_batch(workspace: Workspace, round_: Round, batch: Batch, ids: set[str]) -> int:
    backend = workspace.connect(batch.project.backend)
    if not round_.closed:  # the server deletes answers with their tasks
        _fetch(workspace, round_.number, batch, backend)
    batch_ids = {row["id"] for row in round_.tasks() if row["batch"] == batch.name}
    return backend.erase(backend.open_project(batch.project), sorted(ids & batch_ids))


def quoting_answers(workspace: Workspace, gone: Collection[str]) -> list[Quotation]:
    """The answers that quote any of the documents; call it before their texts are erased."""
    rounds = [round_ for round_ in workspace.rounds.all() if round_.push is not None]
    if not rounds:
        return []
    views = workspace.documents.find_views(gone, edited=False).values()
    everywhere = {text for view in views for text in view.fields.values()}
    shown: dict[int, dict[str, list[str]]] = {}
    for round_ in rounds:
        texts = round_.texts()
        tasks = _tasks_showing(round_, gone)
        shown[round_.number] = {task: [*texts[task].values()] for task in tasks}
        everywhere.update(text for own in shown[round_.number].values() for text in own)
    return [
        quotation
        for round_ in rounds
        for quotation in quotations(round_, {**shown[round_.number], "": everywhere})
    ]


def count_answers(workspace: Workspace, gone: set[str]) -> int:
    """Count the stored answers about any of the documents."""
    count = 0
    for round_ in workspace.rounds.all():
        tasks = _tasks_showing(round_, gone)
        count += sum(row["id"] in tasks for row in round_.answers())
    return count
