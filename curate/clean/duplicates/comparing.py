"""Compare pairs: their documents meet in groups, and a pair counts from the threshold on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from curate.clean.duplicates.shards import Shard, of_shard
from curate.minhash import least_equal
from curate.shingles import jaccard, sets
from curate.storage import read_parquet

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


def members_of(pairs: Path) -> pa.Table:
    """The (shard, place, group) of every document that a file of pairs needs, with repeats."""
    import numpy as np
    import pyarrow as pa

    table = read_parquet(pairs, columns=["late", "early", "group"])
    group = table["group"].to_numpy()
    places = np.concatenate([table["late"].to_numpy(), table["early"].to_numpy()])
    shards = (places >> np.uint64(32)).astype(np.int64)
    return pa.table({"shard": shards, "place": places, "group": np.concatenate([group, group])})


def once_each(members: pa.Table) -> pa.Table:
    """The members of groups, each document once for each group; pure."""
    import numpy as np

    place, group = members["place"].to_numpy(), members["group"].to_numpy()
    sort = np.lexsort((group, place))
    place, group = place[sort], group[sort]
    new = np.ones(len(sort), bool)
    new[1:] = (place[1:] != place[:-1]) | (group[1:] != group[:-1])
    return members.take(sort[new])


def tally(members: pa.Table) -> Counter[int]:
    """Count the members of groups in each shard; pure."""
    import pyarrow.compute as pc

    counts = pc.value_counts(members["shard"])
    return Counter(dict(zip(counts.field(0).to_pylist(), counts.field(1).to_pylist(), strict=True)))


class Kind(Protocol):
    """What is compared: shingles of texts, or other data with a signature of bands and bits."""

    def type(self) -> pa.DataType:
        """The Arrow type of one element of a document's content."""
        ...

    def contents(self, shard: Shard, rows: Sequence[int]) -> list[NDArray[Any]]:
        """The content of some rows of a shard, one array a row."""
        ...

    def similarity(self, one: NDArray[Any], other: NDArray[Any]) -> float:
        """The similarity of two contents, at most 1."""
        ...

    def least_equal(self, threshold: float) -> int:
        """The fewest bits that two documents of this similarity share, but for rare cases."""
        ...

    def bytes(self, shard: Shard) -> int:
        """About how many bytes the content of a document of a shard takes."""
        ...


@dataclass(frozen=True)
class Shingles:
    """Compares texts by the Jaccard similarity of their shingles."""

    def type(self) -> pa.DataType:
        """The Arrow type of a hash."""
        import pyarrow as pa

        return pa.uint64()

    def contents(self, shard: Shard, rows: Sequence[int]) -> list[NDArray[Any]]:
        """The distinct shingles of each text, sorted."""
        return list(sets(shard.contents(rows)))

    def similarity(self, one: NDArray[Any], other: NDArray[Any]) -> float:
        """The Jaccard similarity, 0 to 1."""
        return jaccard(one, other)

    def least_equal(self, threshold: float) -> int:
        """The fewest equal bits; unequal values have an equal bit in half of all cases."""
        return least_equal(threshold)

    def bytes(self, shard: Shard) -> int:
        """The bytes of an average text, times 8: about one hash for each byte."""
        import pyarrow.parquet as pq

        return 8 * text_bytes(shard) // max(1, int(pq.read_metadata(shard.texts).num_rows))


def text_bytes(shard: Shard) -> int:
    """The bytes of all texts of a shard."""
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(shard.texts)
    groups = [metadata.row_group(at) for at in range(metadata.num_row_groups)]
    return sum(int(_leaf(group, "text").total_uncompressed_size) for group in groups)


def _leaf(group: Any, name: str) -> Any:
    """The column `name` in the metadata of a row group."""
    columns = (group.column(at) for at in range(group.num_columns))
    return next(column for column in columns if column.path_in_schema == name)


def meeting_schema(element: pa.DataType) -> pa.Schema:
    """The schema in which pairs and their documents meet: each row is a pair or a document."""
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
    """Loads what meets: a file of pairs, or the contents of a shard's documents.

    `members` are files, by shard, that say which documents are needed in which groups.
    """

    members: Sequence[Path]
    kind: Kind

    def __call__(self, item: Path | Shard) -> pa.Table:
        """Rows of `meeting_schema`."""
        import pyarrow as pa

        by_name: dict[str, Any]
        if isinstance(item, Path):
            table = read_parquet(item)
            by_name = dict(zip(table.column_names, table.columns, strict=True))
        else:
            by_name = self._documents(item)
        rows, schema = len(by_name["group"]), meeting_schema(self.kind.type())
        columns = [by_name.get(field.name, pa.nulls(rows, field.type)) for field in schema]
        return pa.table(columns, schema=schema)

    def _documents(self, shard: Shard) -> dict[str, Any]:
        import numpy as np
        import pyarrow as pa

        members = of_shard(self.members, shard.number)
        member_rows = (members["place"].to_numpy() & np.uint64(0xFFFFFFFF)).astype(np.int64)
        group = members["group"].to_numpy()
        rows, where = np.unique(member_rows, return_inverse=True)
        ids, sources = shard.names(rows.tolist())
        arrays = self.kind.contents(shard, rows.tolist())
        offsets = np.concatenate([[0], np.cumsum([len(array) for array in arrays])])
        content = pa.LargeListArray.from_arrays(
            pa.array(offsets.astype(np.int64)), pa.array(np.concatenate(arrays))
        )
        at = pa.array(where)
        return {
            "group": pa.array(group),
            "place": pa.array(np.uint64(shard.number << 32) | member_rows.astype(np.uint64)),
            "id": pa.array(ids, pa.string()).take(at),
            "source": pa.array(sources, pa.string()).take(at),
            "content": content.take(at),
        }


def verified_schema() -> pa.Schema:
    """The schema of pairs whose similarity was verified."""
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

    Shards from number `first_older` on are of older corpora: their documents never yield.
    """

    threshold: float
    first_older: int
    kind: Kind

    def __call__(self, rows: pa.Table) -> pa.Table:
        """The pairs that reach the threshold, as rows of `verified_schema`."""
        import pyarrow as pa
        import pyarrow.compute as pc

        is_pair = pc.is_null(rows["id"])
        pairs = rows.filter(is_pair)
        documents = rows.select(["place", "id", "source", "content"]).filter(pc.invert(is_pair))
        rows_of = {place: row for row, place in enumerate(documents["place"].to_pylist())}
        lists = documents["content"].combine_chunks()
        content, ends = lists.values.to_numpy(), lists.offsets.to_numpy()
        late_rows, early_rows, pair_rows, similarities = [], [], [], []
        late, early = pairs["late"].to_pylist(), pairs["early"].to_pylist()
        for pair_row, (late_place, early_place) in enumerate(zip(late, early, strict=True)):
            if late_place >> 32 >= self.first_older:
                continue
            one, other = rows_of[late_place], rows_of[early_place]
            similarity = self.kind.similarity(
                content[ends[one] : ends[one + 1]], content[ends[other] : ends[other + 1]]
            )
            if similarity > self.threshold - 1e-12:
                late_rows.append(one)
                early_rows.append(other)
                pair_rows.append(pair_row)
                similarities.append(similarity)
        yielding, kept = pa.array(late_rows, pa.int64()), pa.array(early_rows, pa.int64())
        table = pairs.select(["late", "late_order", "early", "early_order"]).take(
            pa.array(pair_rows, pa.int64())
        )
        columns = [
            *table.columns,
            pa.array(similarities, pa.float64()),
            documents["id"].take(kept),
            documents["id"].take(yielding),
            documents["source"].take(kept),
            documents["source"].take(yielding),
        ]
        return pa.table(columns, schema=verified_schema())
