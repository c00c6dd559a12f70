"""Sums of documents by the values of a key, before and after `clean`, `score` and `mix`.

Each shard is read once, by a worker; memory is values times sums.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from curate.engine import in_order
from curate.errors import DataError
from curate.mixture.groups import numbered
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard
from curate.workspace.readers import HOST, META, ColumnReader, HostReader, MetaReader, Reader

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LENGTH = "length"

SUMS = (
    *("documents", "kept", "known", "quality", "quality squares", "candidates"),
    *("before", "after", "before squares", "after squares", "products"),
)
"""What is summed: documents, those kept; those with a quality that is trusted, Σ q, Σ q²; those
that could be drawn, Σ x, Σ y, Σ x², Σ y², Σ x y of x tokens, of which y are drawn."""

MOST = 10_000
"""With more values a key names documents, not groups."""

STEPS = 8
"""Bins of lengths from a number to its double: fifths are made of them."""


@dataclass(frozen=True)
class LengthReader:
    """Reads the bin of a document's tokens, as a number."""

    columns: tuple[str, ...] = ("tokens",)

    def __call__(self, shard: DocumentShard, table: pa.Table) -> pa.Array:
        """The bin of every row."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        tokens = table["tokens"].to_numpy()
        return pc.cast(pa.array(np.searchsorted(edges(), tokens, side="right") - 1), pa.string())


@cache
def edges() -> NDArray[np.int64]:
    """The least number of tokens of each bin: all numbers up to 8, then a step of 9 %."""
    import numpy as np

    rounded = np.round(2 ** (np.arange(40 * STEPS) / STEPS)).astype(np.int64)
    return np.asarray(np.unique(np.append(0, rounded)))


def reader_of(key: str) -> Reader:
    """What reads the values of a key."""
    if key == LENGTH:
        return LengthReader()
    if key == HOST:
        return HostReader()
    if key.startswith(META):
        return MetaReader(key.removeprefix(META))
    return ColumnReader(key)


@dataclass(frozen=True)
class Count:
    """Sums the documents of a shard by each key; scores and mixture only where they are given."""

    readers: Mapping[str, Reader]

    def __call__(self, shard: DocumentShard) -> tuple[int, dict[str, tuple[list[str], Array]]]:
        """The rows of a shard; by key, its values and their sums (values x SUMS)."""
        import numpy as np

        own = [name for reader in self.readers.values() for name in reader.columns]
        scores = ["quality", "abstained"] if {"quality", "abstained"} <= shard.scored() else []
        mix = ["copies", "size"] if shard.mix else []
        table = shard.read(list(dict.fromkeys(["kept", *scores, *mix, *own])), dropped=True)
        columns = _columns(table)
        sums: dict[str, tuple[list[str], Array]] = {}
        for key, reader in self.readers.items():
            values, numbers = numbered([reader(shard, table)], table.num_rows)
            check_number(key, len(values))
            parts = [np.bincount(numbers, column, len(values)) for column in columns]
            own_sums = np.asarray(np.stack(parts, axis=1), np.float64)
            sums[key] = [value for (value,) in values], own_sums
        return table.num_rows, sums


def _columns(table: pa.Table) -> list[Array]:
    """What every document adds to each of SUMS."""
    import numpy as np

    nothing = np.zeros(table.num_rows)
    quality = known = candidates = before = after = nothing
    if "quality" in table.column_names:
        known = ~np.isnan(_numbers(table, "quality")) & (_numbers(table, "abstained") == 0)
        quality = np.where(known, _numbers(table, "quality"), 0.0)
    if "size" in table.column_names:
        candidates = ~np.isnan(_numbers(table, "size"))
        before = np.where(candidates, _numbers(table, "size"), 0.0)
        after = np.where(candidates, before * _numbers(table, "copies"), 0.0)
    columns = (
        *(nothing + 1, table["kept"].to_numpy(), known, quality, quality**2, candidates),
        *(before, after, before**2, after**2, before * after),
    )
    return [np.asarray(column, np.float64) for column in columns]


def _numbers(table: pa.Table, name: str) -> Array:
    """A column of numbers or truth values; NaN for null."""
    import numpy as np
    import pyarrow as pa

    return np.asarray(table[name].cast(pa.float64()).to_numpy(zero_copy_only=False))


def check_number(key: str, values: int) -> None:
    """Raise DataError for a key with too many values."""
    if values > MOST:
        raise DataError(
            f"evaluate.bias: {key} has more than {MOST:,} values, so it makes no groups",
            hint="name a key with few values, such as language or source",
        )


def count(
    workspace: Workspace, keys: Sequence[str], *, scores: bool, mix: bool
) -> dict[str, dict[str, Array]]:
    """By key, the SUMS of each value over all documents, in bounded memory.

    Raises DataError for a key with too many values.
    """
    shards = workspace.documents.shards(scores=scores, mix=mix)
    totals: dict[str, dict[str, Array]] = {key: {} for key in keys}
    counting = Count({key: reader_of(key) for key in keys})
    with workspace.watch("counting who is kept", workspace.tables.rows("pool")) as advance:
        for rows, sums in in_order(workspace.engine.each(counting, shards)):
            for key, (values, parts) in sums.items():
                own = totals[key]
                for value, part in zip(values, parts, strict=True):
                    own[value] = own[value] + part if value in own else part
                check_number(key, len(own))
            advance(rows)
    return totals
