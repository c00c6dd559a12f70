"""What a pool holds already, so that new files become a new batch and nothing is read twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curate import storage
from curate.pool.finding import sha256_of
from curate.pool.sources import File, SourceSpec
from curate.pool.staging import number_of

RECORD = "_read.json"
"""Beside the shards: which files were read, how, and what they held."""


@dataclass(frozen=True)
class Before:
    """The pool as it stands, if there is one.

    `files` are those it was read from, by their labels; `counts` its columns of token counts and
    their tokenizers.
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


def before(folder: Path) -> Before:
    """Return what lies in the pool's folder; a pool without a record only tells its batches."""
    stored = storage.stored_folder(folder)
    if stored is None:
        return Before()
    shards = tuple(storage.shards(folder))
    record = storage.read_json(folder / RECORD)
    if record is None:
        return Before(shards, batch=_newest(shards), rows=stored.rows)
    files = {(each["path"], each["name"]): each for each in record["files"]}
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
    )


def _newest(shards: Sequence[Path]) -> int:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    return max(
        (pc.max(pq.read_table(path, columns=["batch"])["batch"]).as_py() or 0 for path in shards),
        default=0,
    )


def how(source: SourceSpec) -> str:
    """Return a digest of how a source's files are read, whatever their paths and order."""
    settings = source.settings()
    return storage.digest({k: v for k, v in settings.items() if k not in ("paths", "name")})


def is_known(file: File, source: SourceSpec, known: Mapping[str, Any]) -> bool:
    """Whether a file is as it was when it was read: size and time, or else its content."""
    if (file.size, how(source)) != (known["size"], known["how"]):
        return False
    return bool(file.modified == known["modified"] or fact(file)["sha256"] == known["sha256"])


def fact(file: File) -> dict[str, Any]:
    """Return what others can check of a file: its path, size and sha256."""
    return {"path": file.label, "size": file.size, "sha256": sha256_of(file)}


def record(file: File, source: SourceSpec, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what to keep of a file, so that it need not be read again."""
    return {**found, "name": file.name, "modified": file.modified, "how": how(source)}


def can_grow(
    was: Before, files: Sequence[File], sources: Sequence[SourceSpec], reading: str
) -> bool:
    """Whether the pool holds what the sources held, so that only new files need reading.

    All that it was read from must be there unchanged, and be read as it was.
    """
    if was.files is None or was.reading != reading:
        return False
    if any(path.name.count("-") != 2 or not number_of(path.name) for path in was.shards):
        return False
    there = {(file.label, file.name): file for file in files}
    if not was.files.keys() <= there.keys():
        return False
    return all(
        is_known(file, sources[file.source], was.files[key])
        for key, file in there.items()
        if key in was.files
    )
