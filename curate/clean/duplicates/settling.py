"""Which document of a verified pair yields, and the tables of those that do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage
from curate.clean.duplicates.shards import Shard, of_shard

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


def settle(verified: Sequence[Path], target: Path) -> Path:
    """Write (late, early), sorted by `late`: every document that yields, and what it yields to.

    A document yields only to one that is kept itself. Of several, it is the most similar one; the
    earlier one where they tie.
    """
    import numpy as np
    import pyarrow as pa

    places, ranks, late, early = _ranks(verified)
    similarity = _column(verified, "similarity")
    order = np.lexsort((early, late))
    best, chosen = np.zeros(len(places)), np.full(len(places), -1, np.int64)
    for start in range(0, len(order), 1 << 17):
        block = order[start : start + (1 << 17)]
        rows = zip(
            late[block].tolist(), early[block].tolist(), similarity[block].tolist(), strict=True
        )
        for one, other, value in rows:
            if chosen[other] < 0 and value > best[one]:
                best[one], chosen[one] = value, other
    ranked = places[np.argsort(ranks)]
    gone = np.flatnonzero(chosen >= 0)
    settled = pa.table({"late": ranked[gone], "early": ranked[chosen[gone]]})
    storage.write_parquet(target, settled.sort_by("late"))
    return target


def _ranks(
    verified: Sequence[Path],
) -> tuple[NDArray[np.uint64], NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32]]:
    """The places of all documents in pairs, ascending, and their ranks by precedence.

    Then the ranks of the late and of the early document of each pair. Columns are read one by one,
    since only this step holds all pairs in memory.
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

    parts = [storage.read_parquet(path, columns=[name])[name].to_numpy() for path in paths]
    return np.concatenate(parts)


def gone_schema() -> pa.Schema:
    """The schema of the documents that yield, and of what they yield to."""
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
    """Loads the verified pairs that were settled on."""

    settled: Path

    def __call__(self, verified: Path) -> pa.Table:
        """The settled pairs of a file, as rows of `gone_schema`."""
        import numpy as np
        import pyarrow as pa

        pairs, settled = storage.read_parquet(verified), storage.read_parquet(self.settled)
        late, early = settled["late"].to_numpy(), settled["early"].to_numpy()
        pair_late = pairs["late"].to_numpy()
        if not len(late):
            return gone_schema().empty_table()
        at = np.minimum(np.searchsorted(late, pair_late), len(late) - 1)
        is_settled = (late[at] == pair_late) & (early[at] == pairs["early"].to_numpy())
        pairs = pairs.filter(pa.array(is_settled))
        places = pairs["late"].to_numpy()
        added = {
            "shard": pa.array((places >> np.uint64(32)).astype(np.int64)),
            "row": pa.array((places & np.uint64(0xFFFFFFFF)).astype(np.int64)),
        }
        schema = gone_schema()
        columns = [added[name] if name in added else pairs[name] for name in schema.names]
        return pa.table(columns, schema=schema)


def by_shard(rows: pa.Table) -> pa.Table:
    """A bucket of the documents that yield, in the order of shards and rows; pure."""
    return rows.sort_by([("shard", "ascending"), ("row", "ascending")])


def by_cluster(rows: pa.Table) -> pa.Table:
    """A bucket of the documents that yield, in the order of what they yield to; pure."""
    return rows.drop_columns(["shard", "row"]).sort_by([("kept", "ascending"), ("id", "ascending")])


@dataclass(frozen=True)
class Gone:
    """The files of the documents that yield: `clusters` by document kept, `changed` by shard.

    `changed` has one list of buckets for each reason.
    """

    clusters: Sequence[Path] = ()
    changed: Sequence[Sequence[Path]] = ()

    def __add__(self, other: Gone) -> Gone:
        """The documents that yield for either reason."""
        return Gone((*self.clusters, *other.clusters), (*self.changed, *other.changed))

    def left(self, shard: Shard) -> list[int]:
        """The rows of a shard that no reason drops, and that do not yield."""
        return shard.left(self.of(shard.number)["row"].to_pylist())

    def of(self, number: int) -> pa.Table:
        """The documents that yield in the shard of that number, by row."""
        import pyarrow as pa

        none = gone_schema().empty_table()
        return pa.concat_tables([of_shard(buckets, number) for buckets in self.changed] or [none])
