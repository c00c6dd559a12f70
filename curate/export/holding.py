"""Which shards of an export hold some documents, in any format."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from curate.export.draws import DRAW
from curate.export.formats import read_shard
from curate.export.formats.lines import OURS

HELD_OUT = "draw-validation.parquet"
"""The table that names the documents of the holdout where shards hold token ids: as the draw."""


def draw_tables(folder: Path) -> list[str]:
    """The paths of the tables that name the documents of lines."""
    return [str(folder / name) for name in (DRAW, HELD_OUT) if (folder / name).is_file()]


def shards_with(
    folder: Path, manifest: Mapping[str, Any], ids: Collection[str]
) -> dict[str, list[str]]:
    """The ids that each shard holds, by its path; shards without any are left out."""
    held: dict[str, set[str]] = {}
    for shard, id in _named(folder, ids):
        held.setdefault(shard, set()).add(id)
    if "token_ids" not in manifest:
        for file in (manifest.get("validation") or {}).get("files", ()):
            lines = (line.get(OURS, line) for line in read_shard(folder / file["path"]))
            own = {line["id"] for line in lines}.intersection(ids)
            held.update({file["path"]: own} if own else {})
    return {shard: sorted(own) for shard, own in held.items()}


def _named(folder: Path, ids: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield shard and id of each line of these documents that a table names."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    wanted = pc.field("id").isin(pa.array(sorted(ids), pa.string()))
    for batch in ds.dataset(draw_tables(folder)).to_batches(columns=["shard", "id"], filter=wanted):
        yield from zip(batch["shard"].to_pylist(), batch["id"].to_pylist(), strict=True)
