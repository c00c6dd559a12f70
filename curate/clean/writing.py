"""Write the table `clean`: measurements, and verdicts with near-duplicates settled."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from curate import storage, tables
from curate.clean.duplicates import overlap
from curate.clean.duplicates.near import Gone, Shard
from curate.clean.measuring import FINGERPRINT, SIGNATURE
from curate.clean.passages.applying import Found
from curate.clean.planning import Measured
from curate.engine import read_shard
from curate.workspace import Workspace, index

if TYPE_CHECKING:
    import pyarrow as pa


def write(
    workspace: Workspace,
    folder: Path,
    measured: Measured,
    reasons: list[Path],
    gone: Gone,
    found: Found | None,
    searched: Sequence[Shard],
) -> None:
    """Write clean, its signatures, near-duplicates and passages, and the overlap of sources."""
    none: list[None] = [None] * len(measured.shards)
    signatures: Sequence[Path | None] = measured.signatures or none
    files = zip(measured.shards, reasons, signatures, searched or none, strict=True)
    shards = enumerate(files)
    with workspace.watch("writing", len(measured.shards)) as advance:
        for _ in workspace.engine.each(partial(_write_shard, folder, gone, found), list(shards)):
            advance(1)
    for place, path in enumerate(gone.clusters):
        storage.write_parquet(folder / "_clusters" / f"{place:05}.parquet", read_shard(path))
    overlap.write(
        workspace.engine, workspace.tables.shards("pool"), gone.clusters, folder / overlap.FILE
    )


def _write_shard(
    folder: Path,
    gone: Gone,
    found: Found | None,
    item: tuple[int, tuple[Path, Path, Path | None, Shard | None]],
) -> None:
    import pyarrow.parquet as pq

    number, (shard, reasons, signatures, searched) = item
    table = _settled(storage.read_parquet(shard), storage.read_parquet(reasons), gone.of(number))
    if found is not None and searched is not None:
        table = found.apply(table, searched, folder)
    storage.write_parquet(folder / shard.name, table)
    index.write(index.path_of(folder / shard.name), table["id"])
    if signatures is None:
        return
    target = folder / "_signatures" / signatures.name
    target.parent.mkdir(exist_ok=True)
    if signatures.parent.name == "_signatures":
        storage.share(signatures, target)
    else:
        names = set(pq.read_schema(signatures).names)
        own = [name for name in ("id", SIGNATURE, FINGERPRINT) if name in names]
        storage.write_parquet(target, storage.read_parquet(signatures, columns=own))


def _settled(measurements: pa.Table, verdicts: pa.Table, gone: pa.Table) -> pa.Table:
    """A shard of clean: verdict and reason, and all measurements."""
    import pyarrow as pa

    reasons = verdicts["reason"].to_pylist()
    duplicate_of: list[str | None] = [None] * len(reasons)
    similarity: list[float | None] = [None] * len(reasons)
    for row in gone.to_pylist():
        at = row["row"]
        reasons[at], duplicate_of[at] = "near_duplicate", row["kept"]
        similarity[at] = row["similarity"]
    columns = {
        "id": verdicts["id"],
        "kept": [reason is None for reason in reasons],
        "reason": reasons,
        "duplicate_of": duplicate_of,
        "similarity": similarity,
    }
    schema = tables.schema("clean")
    for field in schema:
        if field.name not in columns:
            columns[field.name] = (
                measurements[field.name]
                if field.name in measurements.column_names
                else pa.nulls(len(reasons), field.type)
            )
    table = pa.table(columns, schema=schema)
    for name in measurements.column_names:
        if ":" in name:
            table = table.append_column(name, measurements[name])
    return table
