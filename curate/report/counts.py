"""Counts over the tables of documents: each is read once, shard by shard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from curate.report.folding import encoded, of_shards, read
from curate.report.verdicts import Verdicts, count_verdicts
from curate.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class PoolCounts:
    """Documents held out, by source, and by source and each other source with an exact copy."""

    holdout: int
    sources: Counter[str]
    pairs: Counter[tuple[str, str]]


@dataclass(frozen=True)
class Counts:
    """The counts of every table.

    `drawn` is the number of documents in the mixture, each counted once; None without a mixture.
    """

    pool: PoolCounts
    verdicts: Verdicts
    drawn: int | None


def count(workspace: Workspace) -> Counts:
    """Count the documents of every table that there is."""
    pool, drawn = _sum(()), None
    if workspace.tables.stored("pool"):
        pool = _sum(of_shards(workspace, "counting documents", "pool", count_pool))
    if workspace.tables.stored("mix"):
        drawn = sum(of_shards(workspace, "counting the mixture", "mix", count_drawn))
    return Counts(pool, count_verdicts(workspace), drawn)


def count_pool(path: Path) -> tuple[int, PoolCounts]:
    """The rows of a shard of the pool, and its counts."""
    import pyarrow.compute as pc

    table = read(path, "holdout", "source", "also")
    holdout = pc.sum(table["holdout"]).as_py() or 0
    return table.num_rows, PoolCounts(holdout, _frequencies(table["source"]), _pairs(table))


def _pairs(table: pa.Table) -> Counter[tuple[str, str]]:
    """How many documents of each source have an exact copy in each other source."""
    import pyarrow as pa
    import pyarrow.compute as pc

    also = table["also"].combine_chunks()
    sources = table["source"].take(pc.list_parent_indices(also))
    pairs = pa.table({"one": sources, "other": pc.list_flatten(also)})
    counted = pairs.group_by(["one", "other"], use_threads=False).aggregate([([], "count_all")])
    columns = (counted[name].to_pylist() for name in ("one", "other", "count_all"))
    return Counter({(one, other): number for one, other, number in zip(*columns, strict=True)})


def _sum(parts: Sequence[PoolCounts]) -> PoolCounts:
    sources, pairs = Counter[str](), Counter[tuple[str, str]]()
    for part in parts:
        sources.update(part.sources)
        pairs.update(part.pairs)
    return PoolCounts(sum(part.holdout for part in parts), sources, pairs)


def count_drawn(path: Path) -> tuple[int, int]:
    """The rows of a shard of `mix`, and how many of them were drawn."""
    import pyarrow.compute as pc

    copies = read(path, "copies")["copies"]
    return len(copies), pc.sum(pc.greater(copies, 0)).as_py() or 0


def count_copies(workspace: Workspace) -> Counter[str]:
    """The exact copies that were set aside, by source."""
    import pyarrow.parquet as pq

    workspace.tables.require("duplicates")
    counts = Counter[str]()
    with pq.ParquetFile(workspace.tables.folder("duplicates")) as file:
        for batch in file.iter_batches(columns=["source"]):
            counts.update(_frequencies(batch["source"]))
    return counts


def _frequencies(column: pa.Array | pa.ChunkedArray) -> Counter[str]:
    """How often each value occurs, in the order of the first occurrences."""
    import numpy as np

    names, numbers = encoded(column)
    return Counter(dict(zip(names, np.bincount(numbers).tolist(), strict=True)))
