"""How many documents two sources share, as exact copies and as near-duplicates.

The counts lie beside the table, in `_overlap.json`: rows of (source, source, documents).
Near-duplicates may also be of one source; exact copies within a source are `duplicates`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage
from curate.engine import Engine

if TYPE_CHECKING:
    import pyarrow as pa

FILE = "_overlap.json"
Counts = Counter[tuple[str, str]]
"""Documents by pair of sources, in alphabetical order."""


def exact(pool: pa.Table) -> Counts:
    """Count the documents of a shard that two sources hold, for every two; pure."""
    import pyarrow.compute as pc

    shared = pool.filter(pc.greater(pc.list_value_length(pool["also"]), 0))
    counts: Counts = Counter()
    for row in shared.select(["source", "also"]).to_pylist():
        counts.update(combinations(sorted({row["source"], *row["also"]}), 2))
    return counts


def near(gone: pa.Table) -> Counts:
    """Count the near-duplicates of some clusters by the sources of both; pure.

    An older corpus has no name: it counts as the source `(older)`.
    """
    pairs = zip(gone["source"].to_pylist(), gone["kept_source"].to_pylist(), strict=True)
    return Counter(_ordered(one, other or "(older)") for one, other in pairs)


def _ordered(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one <= other else (other, one)


def write(engine: Engine, pool: Sequence[Path], clusters: Sequence[Path], target: Path) -> None:
    """Count over all shards, and write what every two sources share, the largest count first."""
    count_exact = partial(_of_file, ["source", "also"], exact)
    count_near = partial(_of_file, ["source", "kept_source"], near)
    copies = sum((counts for _, counts in engine.each(count_exact, pool)), Counter())
    twins = sum((counts for _, counts in engine.each(count_near, clusters)), Counter())
    storage.write_json(target, {"exact": _rows(copies), "near": _rows(twins)})


def _of_file(columns: Sequence[str], count: Any, path: Path) -> Counts:

    counts: Counts = count(storage.read_parquet(path, columns=list(columns)))
    return counts


def _rows(counts: Mapping[tuple[str, str], int]) -> list[list[Any]]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [[*sources, n] for sources, n in ordered]
