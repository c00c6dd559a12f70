"""How much sources share: documents that two of them hold, as exact copies and as near ones.

Counted per pair of sources and kept beside the table, in `_overlap.json`: rows of (source, source,
documents). Near ones may also be of one source, exact ones within a source are `duplicates`.
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
Pairs = Counter[tuple[str, str]]


def exact(pool: pa.Table) -> Pairs:
    """Count the documents of a shard that each two sources hold; pure."""
    import pyarrow.compute as pc

    shared = pool.filter(pc.greater(pc.list_value_length(pool["also"]), 0))
    found: Pairs = Counter()
    for row in shared.select(["source", "also"]).to_pylist():
        found.update(combinations(sorted({row["source"], *row["also"]}), 2))
    return found


def near(gone: pa.Table) -> Pairs:
    """Count the near-duplicates of some clusters by the sources of both; pure.

    An older corpus has no name here: it is `(older)`.
    """
    pairs = zip(gone["source"].to_pylist(), gone["kept_source"].to_pylist(), strict=True)
    return Counter(_ordered(one, other or "(older)") for one, other in pairs)


def _ordered(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one <= other else (other, one)


def write(engine: Engine, pool: Sequence[Path], clusters: Sequence[Path], target: Path) -> None:
    """Count over all shards, and write what each two sources share, the most first."""
    total = partial(_sum, ["source", "also"], exact)
    alike = partial(_sum, ["source", "kept_source"], near)
    shared = sum((found for _, found in engine.each(total, pool)), Counter())
    twins = sum((found for _, found in engine.each(alike, clusters)), Counter())
    storage.write_json(target, {"exact": _rows(shared), "near": _rows(twins)})


def _sum(columns: Sequence[str], count: Any, path: Path) -> Pairs:
    import pyarrow.parquet as pq

    found: Pairs = count(pq.read_table(path, columns=list(columns)))
    return found


def _rows(found: Mapping[tuple[str, str], int]) -> list[list[Any]]:
    ordered = sorted(found.items(), key=lambda each: (-each[1], each[0]))
    return [[*sources, n] for sources, n in ordered]
