"""How many texts stand in two sources, if only their words count, without case.

A shuffle by a hash of the words brings equal texts together; only hashes and sources travel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from curate.engine import buckets_for, read_shard
from curate.storage import read_parquet
from curate.text import words
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

HASH_BYTES = 16

WIDTH = 100
"""Bytes of memory that a row takes where those of one bucket are grouped."""

TEXTS = 1000
"""So many texts of a shard are read at once."""


def count_in_two_sources(workspace: Workspace, sources: Sequence[str], folder: Path) -> int:
    """The number of distinct texts that are in two of the sources; `folder` is for scratch."""
    rows = workspace.tables.rows("pool")
    with workspace.watch("comparing texts", rows) as advance:
        counted = workspace.engine.shuffle(
            count_shared,
            workspace.tables.shards("pool"),
            folder,
            key="key",
            buckets=buckets_for(rows, width=WIDTH),
            load=Keys(tuple(sources)),
            advance=advance,
        )
    return sum(read_shard(path)["texts"][0].as_py() for path in counted)


@dataclass(frozen=True)
class Keys:
    """Reads a shard of the pool as hashes of its texts, and the sources that hold each.

    A source is its place in `sources`; of those that hold a text, the lowest and the highest are
    enough.
    """

    sources: tuple[str, ...]

    def __call__(self, path: Path) -> pa.Table:
        """The columns `key`, `low` and `high` of a shard."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        table = read_parquet(path, columns=["source", "also"])
        also = table["also"].combine_chunks()
        holders, others = pc.list_parent_indices(also).to_numpy(), pc.list_flatten(also)
        low = self._numbers(table["source"])
        high = low.copy()
        np.minimum.at(low, holders, self._numbers(others))
        np.maximum.at(high, holders, self._numbers(others))
        data = pa.py_buffer(b"".join(_hashes(path)))
        keys = pa.Array.from_buffers(pa.binary(HASH_BYTES), table.num_rows, [None, data])
        return pa.table({"key": keys, "low": low, "high": high})

    def _numbers(self, names: pa.Array | pa.ChunkedArray) -> NDArray[np.int32]:
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        places = pc.index_in(names, value_set=pa.array(self.sources, pa.string()))
        return np.array(places, np.int32)


def _hashes(path: Path) -> Iterator[bytes]:
    """Yield a hash of the words of each text of a shard; of the text itself if it has none."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(TEXTS, columns=["text"]):
            for text in batch["text"].to_pylist():
                letters = "".join(words(text)).lower() or text
                yield blake2b(letters.encode(), digest_size=HASH_BYTES).digest()


def count_shared(table: pa.Table) -> pa.Table:
    """How many keys of a bucket are in two sources: one row."""
    import pyarrow as pa
    import pyarrow.compute as pc

    by_key = table.group_by("key").aggregate([("low", "min"), ("high", "max")])
    shared = pc.sum(pc.not_equal(by_key["low_min"], by_key["high_max"])).as_py() or 0
    return pa.table({"texts": [shared]})
