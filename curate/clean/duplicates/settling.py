"""Who yields to whom, of the pairs that are alike, and what is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage
from curate.clean.duplicates.shards import of_shard

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


def settle(verified: Sequence[Path], target: Path) -> Path:
    """Write (late, early) of every document that yields and of what it yields to, by `late`.

    Only a document that stays itself makes another one go, so every chain ends at one that is
    kept. Of several, the likest is named, the earlier where they tie.
    """
    import numpy as np
    import pyarrow as pa

    places, ranks, late, early = _ranks(verified)
    similarity = _column(verified, "similarity")
    order = np.lexsort((early, late))
    best, chosen = np.zeros(len(places)), np.full(len(places), -1, np.int64)
    for start in range(0, len(order), 1 << 17):
        some = order[start : start + (1 << 17)]
        rows = zip(
            late[some].tolist(), early[some].tolist(), similarity[some].tolist(), strict=True
        )
        for one, other, alike in rows:
            if chosen[other] < 0 and alike > best[one]:
                best[one], chosen[one] = alike, other
    ranked = places[np.argsort(ranks)]
    gone = np.flatnonzero(chosen >= 0)
    found = pa.table({"late": ranked[gone], "early": ranked[chosen[gone]]})
    storage.write_parquet(target, found.sort_by("late"))
    return target


def _ranks(
    verified: Sequence[Path],
) -> tuple[NDArray[np.uint64], NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32]]:
    """Return the places of all documents in pairs, ascending, and their ranks by precedence.

    Then, for each pair, the ranks of the late and of the early document. Column by column, since
    this is the one step that holds all pairs.
    """
    import numpy as np

    places = np.union1d(*(np.unique(_column(verified, name)) for name in ("late", "early")))
    orders = np.zeros(len(places), np.uint64)
    sides = []
    for name in ("late", "early"):
        sides.append(np.searchsorted(places, _column(verified, name)).astype(np.uint32))
        orders[sides[-1]] = _column(verified, f"{name}_order")
    ranks = np.empty(len(places), np.uint32)
    ranks[np.lexsort((places, orders))] = np.arange(len(places), dtype=np.uint32)
    return places, ranks, ranks[sides[0]], ranks[sides[1]]


def _column(paths: Sequence[Path], name: str) -> NDArray[Any]:
    import numpy as np
    import pyarrow.parquet as pq

    parts = [pq.read_table(path, columns=[name])[name].to_numpy() for path in paths]
    return np.concatenate(parts)


def gone_schema() -> pa.Schema:
    """Return the schema of what yields, and to what."""
    import pyarrow as pa

    return pa.schema(
        [
            ("kept", pa.string()),
            ("id", pa.string()),
            ("similarity", pa.float64()),
            ("kept_source", pa.string()),
            ("source", pa.string()),
            ("shard", pa.int64()),
            ("row", pa.int64()),
        ]
    )


@dataclass(frozen=True)
class Chosen:
    """Loads, of verified pairs, those that were settled."""

    settled: Path

    def __call__(self, verified: Path) -> pa.Table:
        """Return rows of `gone_schema`."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.parquet as pq

        pairs, settled = pq.read_table(verified), pq.read_table(self.settled)
        late, kept_for = settled["late"].to_numpy(), settled["early"].to_numpy()
        mine = pairs["late"].to_numpy()
        if not len(late):
            return gone_schema().empty_table()
        at = np.minimum(np.searchsorted(late, mine), len(late) - 1)
        right = (late[at] == mine) & (kept_for[at] == pairs["early"].to_numpy())
        pairs = pairs.filter(pa.array(right))
        places = pairs["late"].to_numpy()
        added = {
            "shard": pa.array((places >> np.uint64(32)).astype(np.int64)),
            "row": pa.array((places & np.uint64(0xFFFFFFFF)).astype(np.int64)),
        }
        schema = gone_schema()
        columns = [added[n] if n in added else pairs[n] for n in schema.names]
        return pa.table(columns, schema=schema)


def by_shard(rows: pa.Table) -> pa.Table:
    """Return a bucket of what yields, in the order of shards and rows; pure."""
    return rows.sort_by([("shard", "ascending"), ("row", "ascending")])


def by_cluster(rows: pa.Table) -> pa.Table:
    """Return a bucket of what yields, in the order of what is kept; pure."""
    return rows.drop_columns(["shard", "row"]).sort_by([("kept", "ascending"), ("id", "ascending")])


@dataclass(frozen=True)
class Gone:
    """What yields: `clusters` by what is kept, `changed` by shard."""

    clusters: Sequence[Path] = ()
    changed: Sequence[Sequence[Path]] = ()

    def __add__(self, other: Gone) -> Gone:
        """Return what yields for either reason."""
        return Gone((*self.clusters, *other.clusters), (*self.changed, *other.changed))

    def of(self, number: int) -> pa.Table:
        """Return what yields in the shard of that number, by row."""
        import pyarrow as pa

        none = gone_schema().empty_table()
        return pa.concat_tables([of_shard(each, number) for each in self.changed] or [none])
