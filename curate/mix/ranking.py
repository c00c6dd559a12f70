"""Ranks of documents in their groups, by quality or by several columns of scores merged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from curate.engine import Engine, in_order
from curate.mix.order import Order, Sought, rank_path
from curate.mix.places import Place
from curate.mixture.groups import Facts
from curate.mixture.selection import Rows, descending
from curate.mixture.weights import NOISELESS, RANKED, merged
from curate.workspace.index import keys_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def rank(
    engine: Engine, places: Sequence[Place], order: Order, columns: Mapping[str, float]
) -> None:
    """Write the ranks that an order needs, if it needs any.

    `columns` are those that are merged, with their weights.
    """
    if order.strategy in NOISELESS:
        write_ranks(places, Sought(order, by_group=True))
    if order.strategy in RANKED:
        write_ranks(places, _merging(engine, places, columns, len(order.sizes)))


@dataclass(frozen=True)
class Merged:
    """The rows of a piece by group, the best merged quality first; ties by id, unknown ones last.

    `means` and `spreads` of each column are groups x columns.
    """

    columns: tuple[str, ...]
    weights: tuple[float, ...]
    means: Array
    spreads: Array

    def __call__(self, place: Place) -> Rows:
        """The rows of a piece."""
        import numpy as np

        rows = place.read()
        own = np.stack([rows.table[name].to_numpy() for name in self.columns], axis=1)
        spreads, means = self.spreads[rows.group], self.means[rows.group]
        quality = merged(own, means, spreads, np.array(self.weights))
        ones = np.ones(len(quality), np.int64)
        return Rows(rows.group, descending(quality), keys_of(rows.table["id"]), ones)


def _merging(
    engine: Engine, places: Sequence[Place], columns: Mapping[str, float], groups: int
) -> Merged:
    """How columns are merged: by their means and standard deviations in each group."""
    import numpy as np

    names = tuple(columns)
    parts = in_order(engine.each(_SumColumns(names, groups), places))
    facts = reduce(_joined, parts)
    means = np.array([[own.mean for own in row] for row in facts])
    spreads = np.array([[own.spread for own in row] for row in facts])
    return Merged(names, tuple(columns.values()), means, spreads)


@dataclass(frozen=True)
class _SumColumns:
    columns: tuple[str, ...]
    groups: int

    def __call__(self, place: Place) -> list[list[Facts]]:
        """The facts of each column in each group: groups x columns."""
        import numpy as np

        rows = place.read()
        order = np.argsort(rows.group, kind="stable")
        ends = np.searchsorted(rows.group[order], np.arange(1, self.groups))
        inside = np.split(order, ends)
        tokens = rows.table["tokens"].to_numpy()
        own = [rows.table[name].to_numpy() for name in self.columns]
        return [[Facts.of(tokens[at], column[at]) for column in own] for at in inside]


def _joined(one: list[list[Facts]], other: list[list[Facts]]) -> list[list[Facts]]:
    return [
        [own.joined(more) for own, more in zip(row, beside, strict=True)]
        for row, beside in zip(one, other, strict=True)
    ]


def write_ranks(places: Sequence[Place], rows_of: Callable[[Place], Rows]) -> None:
    """Write the rank of every candidate in its group, from 1, beside its scratch file.

    Ranks need a sort of all keys: 16 bytes a document. Only strategies by rank need them.
    """
    import numpy as np

    parts = [rows_of(place) for place in places]
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
