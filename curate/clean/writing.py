"""Write the table `clean`: measurements and verdicts, near-duplicates settled."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from curate import storage, tables
from curate.clean.duplicates import overlap
from curate.clean.duplicates.near import Gone
from curate.clean.measuring import SIGNATURE
from curate.clean.planning import Measured
from curate.engine import read_shard
from curate.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa


def write(
    workspace: Workspace, folder: Path, measured: Measured, reasons: list[Path], gone: Gone
) -> None:
    """Write clean, its signatures, and the clusters of near-duplicates."""
    signed: list[Path | None] = [*measured.signatures] or [None] * len(measured.shards)
    shards = enumerate(zip(measured.shards, reasons, signed, strict=True))
    with workspace.watch("writing", len(measured.shards)) as advance:
        for _ in workspace.engine.each(partial(_write_shard, folder, gone), list(shards)):
            advance(1)
    for place, path in enumerate(gone.clusters):
        storage.write_parquet(folder / "_clusters" / f"{place:05}.parquet", read_shard(path))
    overlap.write(workspace.engine, workspace.shards("pool"), gone.clusters, folder / overlap.FILE)


def _write_shard(
    folder: Path, gone: Gone, item: tuple[int, tuple[Path, Path, Path | None]]
) -> None:
    import pyarrow.parquet as pq

    number, (shard, reasons, signed) = item
    table = _settled(pq.read_table(shard), pq.read_table(reasons), gone.of(number))
    storage.write_parquet(folder / shard.name, table)
    if signed is None:
        return
    target = folder / "_signatures" / signed.name
    target.parent.mkdir(exist_ok=True)
    if signed.parent.name == "_signatures":
        storage.share(signed, target)
    else:
        storage.write_parquet(target, pq.read_table(signed, columns=["id", SIGNATURE]))


def _settled(measured: pa.Table, decided: pa.Table, gone: pa.Table) -> pa.Table:
    """Return a shard of clean: verdict and reason, and everything that was measured."""
    import pyarrow as pa

    reasons = decided["reason"].to_pylist()
    twins: list[str | None] = [None] * len(reasons)
    similarity: list[float | None] = [None] * len(reasons)
    for row in gone.to_pylist():
        at = row["row"]
        reasons[at], twins[at] = "near_duplicate", row["kept"]
        similarity[at] = row["similarity"]
    settled = {
        "id": decided["id"],
        "kept": [reason is None for reason in reasons],
        "reason": reasons,
        "duplicate_of": twins,
        "similarity": similarity,
    }
    schema = tables.schema("clean")
    for field in schema:
        if field.name not in settled:
            known = field.name in measured.column_names
            settled[field.name] = (
                measured[field.name] if known else pa.nulls(len(twins), field.type)
            )
    table = pa.table(settled, schema=schema)
    for name in measured.column_names:
        if ":" in name:
            table = table.append_column(name, measured[name])
    return table
