"""Find the damaged file behind a fault: one that cannot be read, or is not what was written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from curate import storage
from curate.errors import DataError
from curate.walking import files_below

KEYS = {
    "workspace.json": ("id", "name"),
    "spec.json": ("purpose",),
    "project.json": ("spec", "form", "batches"),
    "tasks.json": ("name", "form"),
    "closed.json": ("at", "why", "answered"),
    "evaluate.json": (),
    "estimates.json": (),
    "manifest.json": ("files", "groups"),
    storage.MANIFEST: ("made", "content", "rows", "files"),
}
"""The records of a workspace, and what each of them holds."""


def find_damage(root: Path) -> DataError | None:
    """The first damaged file of a workspace, as an error with what to do; None if all are whole."""
    for path in _files(root):
        try:
            _read(path)
        except DataError as error:
            return error
    return None


def _files(root: Path) -> Iterator[Path]:
    """Yield the files that curate reads again: records first, since they are small."""
    paths = [
        path
        for path in sorted(files_below(root))
        if not {".building", "data"} & set(path.relative_to(root).parts)
    ]
    for suffix in (".json", ".npy", ".parquet"):
        yield from (path for path in paths if path.suffix == suffix)


def _read(path: Path) -> None:
    """Read a file to its end. Raises DataError if it is damaged."""
    if path.name in KEYS:
        storage.read_record(path, *KEYS[path.name])
        if path.name == storage.MANIFEST:
            storage.stored_folder(path.parent)
            _compare(path)
    elif path.suffix == ".json":
        storage.read_json(path)
    elif path.suffix == ".npy":
        _read_array(path)
    else:
        _read_table(path)


def _compare(path: Path) -> None:
    """Compare the shards of a table with the digests that its manifest names."""
    record = storage.read_record(path, "files") or {}
    for file in record["files"]:
        shard = path.parent / str(file["path"])
        if storage.file_digest(shard) != file.get("blake2b"):
            raise storage.damaged(shard, "it is not the file that its manifest names")


def _read_array(path: Path) -> None:
    import numpy as np

    with storage.reading(path):
        np.load(path, allow_pickle=False)


def _read_table(path: Path) -> None:
    import pyarrow.parquet as pq

    with storage.reading(path), pq.ParquetFile(path) as file:
        for batch in file.iter_batches():
            batch.validate()
