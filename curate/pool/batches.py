"""The pool before a run: new files become a new batch, and no file is read twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curate import storage, tables
from curate.errors import DataError
from curate.pool.staging import number_of
from curate.sources.finding import sha256_of
from curate.sources.reading import File, SourceSpec

RECORD = "_read.json"
"""The file beside the shards that says which files were read, how, and what they held."""


@dataclass(frozen=True)
class Before:
    """The pool before a run, if there is one.

    `files` are the records of the files that it was read from, by label and source name. `counts`
    are its token columns and their tokenizers. `reading` is a digest of holdout, share and seed.
    `media_tokens` is what media counted.
    """

    shards: tuple[Path, ...] = ()
    files: Mapping[tuple[str, str], Mapping[str, Any]] | None = None
    reading: str = ""
    counts: Mapping[str, str] | None = None
    batch: int = 0
    rows: int = 0
    left_out: int = 0
    refused: int = 0
    encodings: Mapping[str, int] = field(default_factory=dict)
    replaced: int = 0
    guessed: Mapping[str, Any] = field(default_factory=dict)
    media_tokens: Mapping[str, Any] | None = None


def before(folder: Path, *, can_grow: bool = True) -> Before:
    """Load the pool in a folder: only its shards, rows and newest batch if it cannot grow.

    It cannot without a record, or if an older version made it: without a column, or of other types.
    """
    stored = storage.whole_folder(folder)
    if stored is None:
        return Before()
    shards = tuple(storage.shards(folder))
    record = storage.read_json(folder / RECORD)
    if record is None or not can_grow or not _has_types(shards):
        return Before(shards, batch=_newest(shards), rows=stored.rows)
    files = {(file["path"], file["name"]): file for file in record["files"]}
    return Before(
        shards,
        files,
        record["reading"],
        record["counts"],
        record["batch"],
        stored.rows,
        record["left_out"],
        record["refused"],
        record["encodings"],
        record["replaced"],
        record.get("guessed") or {},
        record.get("media_tokens"),
    )


def _has_types(shards: Sequence[Path]) -> bool:
    import pyarrow.parquet as pq

    declared = {field.name: field.type for field in tables.schema("pool")}
    schemas = map(pq.read_schema, shards[:1])
    stored = [{field.name: field.type for field in schema} for schema in schemas]
    return all(own.get(name) == type for own in stored for name, type in declared.items())


def _newest(shards: Sequence[Path]) -> int:
    import pyarrow.compute as pc

    return max(
        (
            pc.max(storage.read_parquet(path, columns=["batch"])["batch"]).as_py() or 0
            for path in shards
        ),
        default=0,
    )


def how(source: SourceSpec) -> str:
    """A digest of all settings of a source but its paths and name: how its files are read."""
    settings = source.settings()
    return storage.digest(
        {key: value for key, value in settings.items() if key not in ("paths", "name")}
    )


def is_known(file: File, source: SourceSpec, stored: Mapping[str, Any]) -> bool:
    """Whether a file is as recorded: the same size and settings, and the same time or content."""
    if (file.size, how(source)) != (stored["size"], stored["how"]):
        return False
    if file.modified == stored["modified"]:
        return True
    return stored["sha256"] is not None and fact(file)["sha256"] == stored["sha256"]


def fact(file: File) -> dict[str, Any]:
    """The facts of a file that others can check: its path, size and sha256.

    The sha256 is None where it cannot be read; its reader says why.
    """
    try:
        sha256 = sha256_of(file)
    except DataError:
        sha256 = None
    return {"path": file.label, "size": file.size, "sha256": sha256}


def record(file: File, source: SourceSpec, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a file, by which a later run sees that it need not be read again."""
    return {**facts, "name": file.name, "modified": file.modified, "how": how(source)}


def can_grow(
    was: Before, files: Sequence[File], sources: Sequence[SourceSpec], reading: str
) -> bool:
    """Whether new files can be added to the pool without reading its old files again.

    All old files must be there, unchanged and with the same settings.
    """
    if was.files is None or was.reading != reading:
        return False
    if any(path.name.count("-") != 2 or not number_of(path.name) for path in was.shards):
        return False
    files_by_key = {(file.label, file.name): file for file in files}
    if not was.files.keys() <= files_by_key.keys():
        return False
    return all(
        is_known(file, sources[file.source], was.files[key])
        for key, file in files_by_key.items()
        if key in was.files
    )
