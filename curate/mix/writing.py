"""Write the table `mix` shard by shard, and add up what was drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from curate import storage, tables
from curate.mix.candidates import COLUMNS
from curate.mix.passes import Fifths, Order, Place
from curate.mixture.drawing import Cut, copies_of
from curate.mixture.groups import Groups, Values
from curate.mixture.selection import Rows
from curate.mixture.weights import NOISELESS

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Drawn:
    """What was drawn of each group, by its number: tokens and documents, copies counted.

    `candidates` is the number of documents that could be drawn. `expected` are the tokens that the
    probabilities foresee of each group's class; None where no question makes groups.
    """

    candidates: int
    tokens: NDArray[np.int64]
    documents: NDArray[np.int64]
    expected: NDArray[np.float64] | None

    def joined(self, other: Drawn) -> Drawn:
        """The sums of both."""
        expected = None
        if self.expected is not None and other.expected is not None:
            expected = self.expected + other.expected
        return Drawn(
            self.candidates + other.candidates,
            self.tokens + other.tokens,
            self.documents + other.documents,
            expected,
        )


@dataclass(frozen=True)
class Write:
    """Writes one shard of `mix` into a folder. `keys` are the names of `mix.groups`."""

    folder: Path
    names: Mapping[int, str]
    keys: tuple[str, ...]
    groups: Groups
    order: Order
    cuts: tuple[Cut, ...]
    fifths: Fifths

    def __call__(self, place: Place) -> Drawn:
        """Write the shard of a piece; what was drawn of it."""
        import numpy as np
        import pyarrow as pa

        table, group = place.read()
        rows = self.order.drawn(place)
        copies = copies_of(rows, self.cuts)
        words = pa.array(self.groups.names, pa.string())
        columns = {
            "id": table["id"],
            "group": words.take(pa.array(group, pa.int64())),
            "bucket": self._buckets(place, len(group)),
            "weight": self._weights(place, table, group),
            "copies": copies,
        }
        path = self.folder / self.names[place.number]
        storage.write_parquet(path, pa.table(columns, schema=tables.schema("mix")))
        taken = copies * rows.weight
        size = len(self.groups.names)
        return Drawn(
            len(group),
            np.bincount(group, taken, size).astype(np.int64),
            np.bincount(group, copies, size).astype(np.int64),
            self._expected(table, group, taken),
        )

    def _buckets(self, place: Place, size: int) -> pa.Array:
        import numpy as np
        import pyarrow as pa

        ranked = self.order.ranked(place)
        rows = (ranked.tie - np.uint64(place.start)).astype(np.int64)
        fifths, is_unknown = np.zeros(size, np.int32), np.ones(size, bool)
        fifths[rows], is_unknown[rows] = self.fifths.fifth(ranked), False
        return pa.array(fifths, mask=is_unknown)

    def _weights(
        self, place: Place, table: pa.Table, group: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        import numpy as np

        if self.order.strategy in NOISELESS:
            return np.asarray(1 / np.load(rank_path(place.path)), np.float64)
        return self.order.weights(table, group)

    def _expected(
        self, table: pa.Table, group: NDArray[np.int64], taken: NDArray[np.int64]
    ) -> NDArray[np.float64] | None:
        """The tokens that the probabilities foresee of each group's class.

        The other keys of a group (its source, say) are known: only rows with the same values
        count.
        """
        import numpy as np

        questions = [place for place, key in enumerate(self.keys) if key not in COLUMNS]
        if not questions:
            return None
        expected = np.zeros(len(self.groups.names))
        others = [_without(values, questions) for values in self.groups.values]
        numbers = {values: number for number, values in enumerate(dict.fromkeys(others))}
        other_of_row = np.array([numbers[values] for values in others])[group]
        for number, values in enumerate(self.groups.values):
            rows = np.flatnonzero((other_of_row == numbers[others[number]]) & (taken > 0))
            mass = taken[rows].astype(np.float64)
            for place in questions:
                name = f"{self.keys[place]}:{values[place]}"
                if name not in table.column_names:  # nothing is foreseen to be undecided
                    mass = mass * 0.0
                    continue
                mass = mass * table[name].to_numpy(zero_copy_only=False)[rows]
            expected[number] = mass.sum()
        return expected


def _without(values: Values, places: Sequence[int]) -> Values:
    return tuple(value for place, value in enumerate(values) if place not in places)


def rank_path(scratch: Path) -> Path:
    """Where the ranks of a piece lie, for strategies that go by rank."""
    return scratch.with_suffix(".rank.npy")


def write_ranks(places: Sequence[Place], order: Order) -> None:
    """Write the rank of every candidate in its group, from 1, beside its scratch file.

    Ranks need a sort of all keys: 16 bytes a document. Only strategies without noise need them.
    """
    import numpy as np

    parts = [order.drawn(place) for place in places]
    rows = Rows(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in Rows.__annotations__)
    )
    order_of_rows = np.lexsort((rows.tie, rows.key, rows.group))
    group = rows.group[order_of_rows]
    starts = np.searchsorted(group, group)
    ranks = np.empty(len(group), np.int64)
    ranks[order_of_rows] = 1 + np.arange(len(group)) - starts
    ends = np.cumsum([len(part.group) for part in parts])
    for place, own in zip(places, np.split(ranks, ends[:-1]), strict=True):
        np.save(rank_path(place.path), own)
