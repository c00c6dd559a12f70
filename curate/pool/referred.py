"""Files of media that the rows of tables name: no source lists them, so the pool watches them.

Beside the pool lie their paths, sizes and times. A file that moved or changed makes the pool stale,
and it is read again as a whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from curate import storage
from curate.sources.source_spec import SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa

NAME = "_referred.arrow"
"""Within the pool's folder: `path`, `size` and `modified` (in nanoseconds) of every such file."""

MISSING = (-1, 0)
"""The size and time of a file that is not there."""


def are_named(sources: Sequence[SourceSpec]) -> bool:
    """Whether rows of the sources may name files."""
    return any(
        source.media or source.interleaved or (source.chat and source.chat.media)
        for source in sources
    )


def changed(folder: Path, root: Path) -> str | None:
    """A digest of the watched files that moved or changed since the pool was made, or None."""
    import pyarrow as pa

    path = folder / NAME
    if not path.is_file():
        return None
    with pa.memory_map(str(path)) as mapped:
        rows = pa.ipc.open_file(mapped).read_all().to_pydict()
    was = zip(rows["path"], rows["size"], rows["modified"], strict=True)
    now = [
        (name, *state)
        for name, size, modified in was
        if (state := _state(root / name)) != (size, modified)
    ]
    return storage.digest(now) if now else None


def write(folder: Path, root: Path, known: Sequence[str]) -> None:
    """Write the files that the pool in a folder refers to, without those `known` as sources."""
    import pyarrow as pa

    names = sorted({*_files(folder)} - {*known})
    states = [_state(root / name) for name in names]
    columns = {
        "path": pa.array(names, pa.string()),
        "size": pa.array([size for size, _ in states], pa.int64()),
        "modified": pa.array([modified for _, modified in states], pa.int64()),
    }
    table = pa.table(columns)
    with pa.ipc.new_file(str(folder / NAME), table.schema) as writer:
        writer.write_table(table)


def _state(path: Path) -> tuple[int, int]:
    try:
        status = os.stat(path)  # noqa: PTH116 (a Path for each of 100,000 files takes seconds)
    except OSError:
        return MISSING
    return status.st_size, status.st_mtime_ns


def _files(folder: Path) -> Iterator[str]:
    """Yield the files on disk that the media of the pool lie in."""
    for path in storage.shards(folder):
        for address in _addresses(storage.read_parquet(path, ["media"])):
            if "://" not in address and not address.startswith("data:"):
                yield address


def _addresses(table: pa.Table) -> list[str]:
    import pyarrow.compute as pc

    column = pc.struct_field(pc.list_flatten(table["media"]), "address")
    own: list[str] = pc.unique(column).to_pylist()
    return own
