"""Pairs compared: their documents meet in groups, and a pair counts if it is as alike as asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from curate.clean.duplicates.minhash import least_equal
from curate.clean.duplicates.shards import Shard, of_shard
from curate.clean.duplicates.texts import jaccard, sets

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


def lent(pairs: Path) -> pa.Table:
    """Return (shard, place, group) of every document that some pairs need to be compared."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(pairs, columns=["late", "early", "group"])
    group = table["group"].to_numpy()
    places = np.concatenate([table["late"].to_numpy(), table["early"].to_numpy()])
    shards = (places >> np.uint64(32)).astype(np.int64)
    return pa.table({"shard": shards, "place": places, "group": np.concatenate([group, group])})


def once_each(members: pa.Table) -> pa.Table:
    """Return what shards have to lend, each document once for each group; pure."""
    import numpy as np

    place, group = members["place"].to_numpy(), members["group"].to_numpy()
    sort = np.lexsort((group, place))
    place, group = place[sort], group[sort]
    new = np.ones(len(sort), bool)
    new[1:] = (place[1:] != place[:-1]) | (group[1:] != group[:-1])
    return members.take(sort[new])


def tally(members: pa.Table) -> Counter[int]:
    """Count what each shard has to lend; pure."""
    import pyarrow.compute as pc

    found = pc.value_counts(members["shard"])
    return Counter(dict(zip(found.field(0).to_pylist(), found.field(1).to_pylist(), strict=True)))


class Kind(Protocol):
    """What is compared: shingles of texts, or something else with a signature of bands and bits."""

    def type(self) -> pa.DataType:
        """Return the Arrow type of one element."""
        ...

    def contents(self, shard: Shard, rows: Sequence[int]) -> list[NDArray[Any]]:
        """Return what stands for some rows of a shard."""
        ...

    def similarity(self, one: NDArray[Any], other: NDArray[Any]) -> float:
        """Return how alike two are, at most 1."""
        ...

    def least_equal(self, threshold: float) -> int:
        """Return how many of their bits two share at least, if they are as alike as that."""
        ...

    def bytes(self, shard: Shard) -> int:
        """Return about how many bytes stand for a document of a shard."""
        ...


@dataclass(frozen=True)
class Shingles:
    """Compares texts by the Jaccard similarity of their shingles."""

    def type(self) -> pa.DataType:
        """Return the type of a hash."""
        import pyarrow as pa

        return pa.uint64()

    def contents(self, shard: Shard, rows: Sequence[int]) -> list[NDArray[Any]]:
        """Return the distinct shingles of each text, sorted."""
        return list(sets(shard.contents(rows)))

    def similarity(self, one: NDArray[Any], other: NDArray[Any]) -> float:
        """Return the Jaccard similarity."""
        return jaccard(one, other)

    def least_equal(self, threshold: float) -> int:
        """Return how many bits are equal at least: of bits of unequal values, half are."""
        return least_equal(threshold)

    def bytes(self, shard: Shard) -> int:
        """Return 8 bytes for each byte of a text."""
        import pyarrow.parquet as pq

        about = pq.read_metadata(shard.texts)
        groups = [about.row_group(at) for at in range(about.num_row_groups)]
        size = sum(_leaf(group, "text").total_uncompressed_size for group in groups)
        return 8 * int(size) // max(1, int(about.num_rows))


def meeting_schema(element: pa.DataType) -> pa.Schema:
    """Return the schema in which pairs and their documents meet: one or the other in each row."""
    import pyarrow as pa

    return pa.schema(
        [
            ("group", pa.uint64()),
            ("late", pa.uint64()),
            ("late_order", pa.uint64()),
            ("early", pa.uint64()),
            ("early_order", pa.uint64()),
            ("place", pa.uint64()),
            ("id", pa.string()),
            ("source", pa.string()),
            ("content", pa.large_list(element)),
        ]
    )


@dataclass(frozen=True)
class Meet:
    """Loads what meets: a file of pairs, or what stands for a shard's documents.

    `members` say, by shard, which documents are needed in which groups.
    """

    members: Sequence[Path]
    kind: Kind

    def __call__(self, item: Path | Shard) -> pa.Table:
        """Return rows of `meeting_schema`."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        known: dict[str, Any]
        if isinstance(item, Path):
            table = pq.read_table(item)
            known = dict(zip(table.column_names, table.columns, strict=True))
        else:
            known = self._documents(item)
        rows, schema = len(known["group"]), meeting_schema(self.kind.type())
        columns = [known.get(field.name, pa.nulls(rows, field.type)) for field in schema]
        return pa.table(columns, schema=schema)

    def _documents(self, shard: Shard) -> dict[str, Any]:
        import numpy as np
        import pyarrow as pa

        lent = of_shard(self.members, shard.number)
        wanted = (lent["place"].to_numpy() & np.uint64(0xFFFFFFFF)).astype(np.int64)
        group = lent["group"].to_numpy()
        rows, where = np.unique(wanted, return_inverse=True)
        ids, sources = shard.names(rows.tolist())
        found = self.kind.contents(shard, rows.tolist())
        offsets = np.concatenate([[0], np.cumsum([len(each) for each in found])]).astype(np.int64)
        content = pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(np.concatenate(found)))
        at = pa.array(where)
        return {
            "group": pa.array(group),
            "place": pa.array(np.uint64(shard.number << 32) | wanted.astype(np.uint64)),
            "id": pa.array(ids, pa.string()).take(at),
            "source": pa.array(sources, pa.string()).take(at),
            "content": content.take(at),
        }


def verified_schema() -> pa.Schema:
    """Return the schema of pairs that are alike indeed."""
    import pyarrow as pa

    return pa.schema(
        [
            ("late", pa.uint64()),
            ("late_order", pa.uint64()),
            ("early", pa.uint64()),
            ("early_order", pa.uint64()),
            ("similarity", pa.float64()),
            ("kept", pa.string()),
            ("id", pa.string()),
            ("kept_source", pa.string()),
            ("source", pa.string()),
        ]
    )


@dataclass(frozen=True)
class Compare:
    """Compares the pairs of some groups, given their documents; pure.

    Shards from number `own` on are of older corpora: they yield to nobody.
    """

    threshold: float
    own: int
    kind: Kind

    def __call__(self, rows: pa.Table) -> pa.Table:
        """Return rows of `verified_schema`."""
        import pyarrow as pa
        import pyarrow.compute as pc

        is_pair = pc.is_null(rows["id"])
        pairs = rows.filter(is_pair)
        documents = rows.select(["place", "id", "source", "content"]).filter(pc.invert(is_pair))
        where = {place: at for at, place in enumerate(documents["place"].to_pylist())}
        lists = documents["content"].combine_chunks()
        content, ends = lists.values.to_numpy(), lists.offsets.to_numpy()
        ones, others, rows_, found = [], [], [], []
        late, early = pairs["late"].to_pylist(), pairs["early"].to_pylist()
        for row, (one, other) in enumerate(zip(late, early, strict=True)):
            if one >> 32 >= self.own:
                continue
            at, there = where[one], where[other]
            similarity = self.kind.similarity(
                content[ends[at] : ends[at + 1]], content[ends[there] : ends[there + 1]]
            )
            if similarity > self.threshold - 1e-12:
                ones.append(at)
                others.append(there)
                rows_.append(row)
                found.append(similarity)
        at, kept = pa.array(ones, pa.int64()), pa.array(others, pa.int64())
        table = pairs.select(["late", "late_order", "early", "early_order"]).take(
            pa.array(rows_, pa.int64())
        )
        columns = [
            *table.columns,
            pa.array(found, pa.float64()),
            documents["id"].take(kept),
            documents["id"].take(at),
            documents["source"].take(kept),
            documents["source"].take(at),
        ]
        return pa.table(columns, schema=verified_schema())


def _leaf(group: Any, name: str) -> Any:
    columns = (group.column(at) for at in range(group.num_columns))
    return next(column for column in columns if column.path_in_schema == name)
