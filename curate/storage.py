"""Tables on disk: Parquet files written atomically, with the record of how they were made.

A folder table holds shards and `_manifest.json`, written last; a file table holds the same record
in its Parquet metadata. So no separate file can drift from the data, and a later stage reads the
settings of an earlier one from its table.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING, Any

from curate.errors import DataError
from curate.walking import below

if TYPE_CHECKING:
    import pyarrow as pa

MANIFEST = "_manifest.json"


@dataclass(frozen=True)
class Provenance:
    """How a table was made: its stage, the settings, and the digests of the inputs."""

    stage: str
    spec: Mapping[str, Any]
    inputs: Mapping[str, str | None]
    version: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def same_as(self, other: Provenance) -> bool:
        """Whether both were made with the same settings from the same content."""
        return (self.stage, self.spec, self.inputs) == (other.stage, other.spec, other.inputs)


@dataclass(frozen=True)
class Stored:
    """A table on disk: its provenance, the digest of its content, and its number of rows."""

    made: Provenance
    content: str
    rows: int


def digest(value: Any) -> str:
    """Return the blake2b-128 of a JSON value, in hex."""
    return blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=16).hexdigest()


def file_digest(path: Path) -> str:
    """Return the blake2b-128 of a file's bytes, in hex."""
    hasher = blake2b(digest_size=16)
    with regular(path).open("rb") as file:
        while block := file.read(1 << 20):
            hasher.update(block)
    return hasher.hexdigest()


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hex, for others to check."""
    with regular(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path; the file written there replaces `path` at the end.

    After an error the temporary file is removed and `path` is left as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def leftovers(folder: Path) -> Iterator[Path]:
    """Yield the temporary files of killed writers under a folder. No writer may be active there."""
    return (path for path in below(folder) if re.search(r"^\..*\.\d+\.tmp$", path.name))


def write_text(path: Path, text: str, *, private: bool = False) -> None:
    """Write a text file atomically; `private` makes it readable only by its owner."""
    with replacing(path) as temporary:
        temporary.touch(mode=0o600 if private else 0o644)
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any, *, private: bool = False) -> None:
    """Write a JSON file atomically."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n", private=private)


def read_json(path: Path) -> Any:
    """Return a JSON file's value, or None if there is no such file.

    Raises DataError for a damaged file.
    """
    try:
        with reading(path):
            return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def read_record(path: Path, *keys: str) -> dict[str, Any] | None:
    """Return a JSON object that has these keys, or None if there is no such file.

    Raises DataError for a damaged file.
    """
    record = read_json(path)
    if record is None and not path.exists():
        return None
    if not isinstance(record, dict):
        raise damaged(path, "it holds no JSON object")
    for key in keys:
        if key not in record:
            raise damaged(path, f"it lacks `{key}`")
    return record


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Read a file that curate wrote; DataError names it if it is not as it was written."""
    regular(path)
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(path, _complaint(error)) from None
    except OSError as error:
        if error.errno is not None:  # the system says why the file cannot be read
            raise
        raise damaged(path, _complaint(error)) from None


def regular(path: Path) -> Path:
    """The path itself. Raises DataError for a pipe, a socket or a device: reading would not end."""
    try:
        mode = path.stat().st_mode
    except OSError:  # who reads it tells why
        return path
    if S_ISREG(mode) or S_ISDIR(mode):
        return path
    raise DataError(f"{path} is a pipe, a socket or a device", hint="put the file back")


def damaged(path: Path, why: str) -> DataError:
    """The error for a damaged file: what is wrong, and what to do."""
    return DataError(f"{path} is damaged: {why}", hint=_remedy(path))


def _complaint(error: Exception) -> str:
    line = next(iter(str(error).splitlines()), "").strip()
    return f"{line or type(error).__name__}"


def _remedy(path: Path) -> str:
    if "rounds" in path.parts or path.name == "workspace.json":
        return "put it back from a copy: it cannot be made again"
    in_folder = path.name == MANIFEST or (path.parent / MANIFEST).is_file()
    place = path.parent if in_folder else path
    return f"delete {place} and run `curate run`: it is made again"


def write_parquet(path: Path, table: pa.Table, *, dictionary: bool = True) -> None:
    """Write one Parquet file atomically; a `dictionary` is of no use where no value repeats."""
    import pyarrow.parquet as pq

    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", use_dictionary=dictionary)


def version_of(path: Path) -> tuple[int, int, int]:
    """What changes when a file is replaced: its inode, its time in nanoseconds, its size."""
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size


def read_parquet(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a Parquet file, or some of its columns, in the order named.

    `pyarrow.parquet.read_table` would make a data set of it first, which takes as long again.
    """
    import pyarrow.parquet as pq

    with reading(path), pq.ParquetFile(path) as file:
        if columns is None:
            return file.read()
        return file.read(list(columns)).select(list(columns))


def write_file_table(path: Path, table: pa.Table, provenance: Provenance) -> Stored:
    """Write a file table with its record in the Parquet metadata."""
    stored = Stored(provenance, _content(table), table.num_rows)
    record = json.dumps(asdict(stored), ensure_ascii=False)
    write_parquet(path, table.replace_schema_metadata({"curate": record}))
    return stored


def write_file_parts(
    path: Path, schema: pa.Schema, parts: Sequence[Path], provenance: Provenance
) -> Stored:
    """Write a file table from Parquet files, one in memory at a time; `path` may be among them."""
    import pyarrow.parquet as pq

    contents, rows = [], 0
    for part in parts:
        table = read_parquet(part).cast(schema)
        contents.append(_content(table.replace_schema_metadata(None)))
        rows += table.num_rows
    stored = Stored(provenance, digest(contents), rows)
    record = json.dumps(asdict(stored), ensure_ascii=False)
    whole = schema.with_metadata({"curate": record})
    with (
        replacing(path) as temporary,
        pq.ParquetWriter(temporary, whole, compression="zstd") as writer,
    ):
        for part in parts:
            writer.write_table(read_parquet(part).cast(whole))
    return stored


def _content(table: pa.Table) -> str:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return blake2b(sink.getvalue(), digest_size=16).hexdigest()


def stored_file(path: Path) -> Stored | None:
    """Return the record of a file table, or None if there is none. DataError if it is damaged."""
    import pyarrow.parquet as pq

    if not path.is_file():
        return None
    with reading(path):
        metadata = pq.read_metadata(path).metadata or {}  # no Arrow schema is made of it
        record = metadata.get(b"curate")
        return _stored(json.loads(record)) if record else None


def stored_folder(path: Path) -> Stored | None:
    """Return the record of a folder table, or None if it is missing or unfinished.

    Shards of a cache may be gone. Raises DataError for a damaged record.
    """
    place = path / MANIFEST
    record = read_record(place)
    if record is None:
        return None
    with reading(place):
        return _stored(record)


def whole_folder(path: Path) -> Stored | None:
    """The same of a table that is no cache: DataError too where a shard that it names is gone."""
    place = path / MANIFEST
    record = read_record(place)
    if record is None:
        return None
    with reading(place):
        stored = _stored(record)
        names = [str(file["path"]) for file in record.get("files", ())]
    for name in names:
        if not (path / name).exists():
            raise damaged(path / name, "it is gone")
    return stored


def _stored(record: dict[str, Any]) -> Stored:
    return Stored(Provenance(**record["made"]), record["content"], record["rows"])


def shards(folder: Path) -> list[Path]:
    """Return the Parquet shards of a folder table, in order."""
    return sorted(path for path in folder.glob("*.parquet") if not path.name.startswith(("_", ".")))


@contextmanager
def building(folder: Path, provenance: Provenance) -> Iterator[Path]:
    """Yield the folder to build a table in; at the end it gets its manifest and replaces `folder`.

    Files of an interrupted build with the same settings and content are kept, and a stage that
    writes shard by shard continues after them. Other unfinished builds are removed.
    """
    workshop = folder.parent / ".building"
    name = folder.name.replace("/", "-")
    identity = [provenance.stage, provenance.spec, provenance.inputs]
    unfinished = workshop / f"{name}-{digest(identity)[:12]}"
    for other in workshop.glob(f"{name}-*"):
        if other != unfinished:
            remove(other)
    unfinished.mkdir(parents=True, exist_ok=True)
    yield unfinished
    seal(unfinished, provenance)
    swap(unfinished, folder)


def seal(folder: Path, provenance: Provenance) -> Stored:
    """Write the manifest of a finished folder table."""
    import pyarrow.parquet as pq

    files = [
        {"path": path.name, "rows": pq.read_metadata(path).num_rows, "blake2b": file_digest(path)}
        for path in shards(folder)
    ]
    stored = Stored(provenance, digest(files), sum(file["rows"] for file in files))
    write_json(folder / MANIFEST, {**asdict(stored), "files": files})
    return stored


def swap(new: Path, place: Path) -> None:
    """Move the folder `new` to `place`; a folder that is there is removed."""
    old = new.with_name(f"{new.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():
        place.rename(old)
    new.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def remove(folder: Path) -> None:
    """Remove a folder, if it is there: at once, for whoever looks for its name.

    A removal that is killed would leave marks of what is done without what they tell of. What it
    leaves here is under another name, and the next removal takes it along.
    """
    old = folder.with_name(f"{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
        shutil.rmtree(old)


def share(path: Path, place: Path) -> None:
    """Link a finished file at another place too, or copy it where links are impossible."""
    place.unlink(missing_ok=True)
    try:
        place.hardlink_to(path)
    except OSError:  # another file system, or one without hard links
        with replacing(place) as temporary:
            shutil.copyfile(path, temporary)


def once(path: Path, make: Callable[[Path], None]) -> Path:
    """Return `path`; if it is missing, `make` first writes it under a temporary name."""
    if not path.exists():
        with replacing(path) as temporary:
            make(temporary)
    return path
