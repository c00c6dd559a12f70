"""The shards in which near-duplicates are looked for: of this pool, and of older corpora."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from curate.engine.shuffling import bucket_of
from curate.minhash import BANDS, BIT_WORDS, KEY_WORDS
from curate.text import apply_edits

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Shard:
    """A shard of documents in which near-duplicates are looked for; picklable.

    `signed` holds `_signature`, `measured` the edits, `reasons` the reasons. The last two are None
    for a shard of an older corpus, which never yields. `ranks` is the order of the sources.
    """

    number: int
    texts: Path
    signed: Path
    measured: Path | None
    reasons: Path | None
    ranks: dict[str, int]

    def orders(self) -> NDArray[np.uint64]:
        """The precedence of each document, the smallest first: batch, source, 38 bits of its id."""
        import numpy as np
        import pyarrow.parquet as pq

        if self.reasons is None:
            table = pq.read_table(self.texts, columns=["id"])
            batch = rank = np.zeros(table.num_rows, np.uint64)
        else:
            table = pq.read_table(self.texts, columns=["id", "source", "batch"])
            batch = np.minimum(table["batch"].to_numpy(), 1023).astype(np.uint64)
            ranks = [min(self.ranks[source], 65535) for source in table["source"].to_pylist()]
            rank = np.array(ranks, np.uint64)
        prefixes = [_prefix(id) for id in table["id"].to_pylist()]
        low = np.array(prefixes, np.uint64)
        return np.asarray(batch << np.uint64(54) | rank << np.uint64(38) | low)

    def keys(self) -> pa.Table:
        """The (key, order, place, bits) of each band of each document that passed."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.parquet as pq

        signed = pq.read_table(self.signed, columns=["_signature"])["_signature"].combine_chunks()
        usable = signed.is_valid().to_numpy(zero_copy_only=False)
        if self.reasons is not None:
            usable = (
                usable
                & pq.read_table(self.reasons, columns=["reason"])["reason"].is_null().to_numpy()
            )
        rows = np.flatnonzero(usable)
        data = b"".join(signed.take(pa.array(rows)).to_pylist())
        words = np.frombuffer(data, np.uint64).reshape(-1, KEY_WORDS + BIT_WORDS)
        places = np.uint64(self.number << 32) | rows.astype(np.uint64)
        columns = {"order": self.orders()[rows], "place": places}
        columns |= {f"bits_{at}": words[:, KEY_WORDS + at] for at in range(BIT_WORDS)}
        return pa.table(
            {
                "key": words[:, :KEY_WORDS].ravel(),
                **{name: np.repeat(values, BANDS) for name, values in columns.items()},
            }
        )

    def names(self, rows: Sequence[int]) -> tuple[list[str], list[str | None]]:
        """The ids and sources of some rows; the sources of an older corpus are None."""
        import pyarrow.parquet as pq

        columns = ["id", *(["source"] if self.reasons is not None else ())]
        table = pq.read_table(self.texts, columns=columns).take(rows)
        sources = table["source"].to_pylist() if self.reasons is not None else [None] * len(rows)
        return table["id"].to_pylist(), sources

    def contents(self, rows: Sequence[int]) -> list[str]:
        """The texts of some rows after their edits."""
        import pyarrow.parquet as pq

        texts: list[str] = (
            pq.read_table(self.texts, columns=["text"])["text"].take(rows).to_pylist()
        )
        if self.measured is None:
            return texts
        column = pq.read_table(self.measured, columns=["edits"])["edits"].take(rows)
        if column.null_count == len(column):
            return texts
        return [
            apply_edits(text, (tuple(edit.values()) for edit in edits or ()))
            for text, edits in zip(texts, column.to_pylist(), strict=True)
        ]


def _prefix(id: str) -> int:
    """The first 38 bits of an id; 0 for an id from elsewhere that is no number."""
    try:
        return int(id[:10], 16) >> 2
    except ValueError:
        return 0


def of_shard(buckets: Sequence[Path], number: int) -> pa.Table:
    """The rows of one shard, from buckets that were shuffled by shard."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    (bucket,) = bucket_of(pa.array([number], pa.int64()), len(buckets))
    return pq.read_table(buckets[bucket], filters=[("shard", "=", number)])
