"""The shards in which near-duplicates are looked for: of this pool, and of older corpora."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from curate.clean.duplicates.precedence import groups, orders, prefix
from curate.clean.duplicates.spec import ComparingSpec
from curate.clean.duplicates.units import COLUMNS, Unit, compared, joined
from curate.engine.shuffling import bucket_of
from curate.minhash import BANDS, BIT_WORDS, KEY_WORDS
from curate.storage import read_parquet
from curate.text import Edit
from curate.workspace.documents import stored_edits

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


AS_EVER = ComparingSpec()


@dataclass(frozen=True)
class Shard:
    """A shard of documents in which near-duplicates are looked for; picklable.

    `signed` holds `_signature`, `measured` the edits, `reasons` the reasons. The last two are None
    for a shard of an older corpus, which never yields. `ranks` is the order of the sources. `how`
    says what is compared, and which document stays.
    """

    number: int
    texts: Path
    signed: Path
    measured: Path | None
    reasons: Path | None
    ranks: dict[str, int]
    how: ComparingSpec = AS_EVER

    def orders(self) -> NDArray[np.uint64]:
        """The precedence of each document, the smallest first; an older corpus comes before all."""
        import numpy as np

        if self.reasons is None:
            ids = read_parquet(self.texts, columns=["id"])["id"].to_pylist()
            return np.array([prefix(id) for id in ids], np.uint64)
        return orders(self.how, self.texts, self.measured, self.ranks)

    def groups(self) -> NDArray[np.uint64]:
        """A hash of what each document must have in common with those it is compared with."""
        assert self.measured is not None  # older corpora are only compared without such groups
        return groups(self.how, self.number, self.texts, self.measured)

    def keys(self) -> pa.Table:
        """The (key, order, place, bits) of each band of each document that passed."""
        import numpy as np
        import pyarrow as pa

        signed = read_parquet(self.signed, columns=["_signature"])["_signature"].combine_chunks()
        usable = signed.is_valid().to_numpy(zero_copy_only=False)
        if self.reasons is not None:
            usable = (
                usable
                & read_parquet(self.reasons, columns=["reason"])["reason"].is_null().to_numpy()
            )
        rows = np.flatnonzero(usable)
        data = b"".join(signed.take(pa.array(rows)).to_pylist())
        words = np.frombuffer(data, np.uint64).reshape(-1, KEY_WORDS + BIT_WORDS)
        places = np.uint64(self.number << 32) | rows.astype(np.uint64)
        columns = {"order": self.orders()[rows], "place": places}
        columns |= {f"bits_{at}": words[:, KEY_WORDS + at] for at in range(BIT_WORDS)}
        keys = words[:, :KEY_WORDS]
        if self.how.within:
            keys = keys ^ self.groups()[rows][:, None]
        return pa.table(
            {
                "key": keys.ravel(),
                **{name: np.repeat(values, BANDS) for name, values in columns.items()},
            }
        )

    def names(self, rows: Sequence[int]) -> tuple[list[str], list[str | None]]:
        """The ids and sources of some rows; the sources of an older corpus are None."""
        import pyarrow as pa

        columns = ["id", *(["source"] if self.reasons is not None else ())]
        table = read_parquet(self.texts, columns=columns).take(pa.array(rows, pa.int64()))
        sources = table["source"].to_pylist() if self.reasons is not None else [None] * len(rows)
        return table["id"].to_pylist(), sources

    def units(self, rows: Sequence[int]) -> Iterator[list[Unit]]:
        """Yield the parts of some rows that are compared, after their edits."""
        import pyarrow as pa

        columns = ["text", *(COLUMNS if self.how.fields else ())]
        at = pa.array(rows, pa.int64())
        table = read_parquet(self.texts, columns=columns).take(at)
        edits: list[Sequence[Edit]] = [()] * len(rows)
        if self.measured is not None:
            column = read_parquet(self.measured, columns=["edits"])["edits"].take(at)
            if column.null_count < len(column):
                edits = [stored_edits(own) for own in column.to_pylist()]
        yield from compared(table, edits, self.how.fields)

    def contents(self, rows: Sequence[int]) -> list[str]:
        """What is compared of some rows, as texts."""
        return [joined(parts) for parts in self.units(rows)]

    def left(self, gone: Sequence[int] = ()) -> list[int]:
        """The rows that have no reason to go, but for those that are `gone`."""
        assert self.reasons is not None
        reasons = read_parquet(self.reasons, columns=["reason"])["reason"].to_pylist()
        dropped = set(gone)
        return [row for row, reason in enumerate(reasons) if reason is None and row not in dropped]


def of_shard(buckets: Sequence[Path], number: int) -> pa.Table:
    """The rows of one shard, from buckets that were shuffled by shard."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    (bucket,) = bucket_of(pa.array([number], pa.int64()), len(buckets))
    return pq.read_table(buckets[bucket], filters=[("shard", "=", number)])
