"""The order in which documents are drawn, and in which their qualities rank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from curate.engine import Engine, in_order
from curate.mix.places import Candidates, Place
from curate.mixture.selection import Rows, ascending, descending
from curate.mixture.weights import (
    NOISELESS,
    RANKED,
    WEIGHERS,
    Qualities,
    Within,
    relative_ranks,
)
from curate.workspace.index import keys_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Order:
    """The order in which documents are drawn, and in which their qualities rank, in each group.

    `sizes` are the documents of each group. A document that abstained has the weight that
    `abstained` gives for its group (None: there is no such document), or in an order by rank the
    mean quality of the group.
    """

    strategy: str
    within: Within
    qualities: Qualities
    sizes: NDArray[np.int64]
    abstained: NDArray[np.float64] | None = None

    def weights(self, place: Place, rows: Candidates) -> NDArray[np.float64]:
        """The weight of every row of a piece, but for strategies that go by rank."""
        import numpy as np

        weigh = WEIGHERS[self.strategy]
        weights = weigh(self._weighed(place, rows), rows.group, self.qualities, self.within)
        if self.abstained is not None:
            abstained = rows.table["abstained"].to_numpy(zero_copy_only=False)
            weights = np.where(abstained, self.abstained[rows.group], weights)
        return np.where(rows.is_drawable, weights, 0.0)

    def _weighed(self, place: Place, rows: Candidates) -> NDArray[np.float64]:
        """What weights follow: qualities, or their relative ranks."""
        import numpy as np

        if self.strategy not in RANKED:
            return np.asarray(rows.table["quality"].to_numpy(), np.float64)
        ranks = np.load(rank_path(place.path))
        return relative_ranks(ranks - 1, self.sizes[rows.group])

    def _qualities(self, rows: Candidates) -> NDArray[np.float64]:
        """The qualities that an order by rank follows."""
        import numpy as np

        quality = rows.table["quality"].to_numpy()
        if self.abstained is None:
            return np.asarray(quality, np.float64)
        abstained = rows.table["abstained"].to_numpy(zero_copy_only=False)
        return np.where(abstained, self.qualities.mean[rows.group], quality)

    def drawn(self, place: Place, rows: Candidates) -> Rows:
        """The rows by cell, in the order of the draw, their weights in tokens."""
        import numpy as np

        tokens = np.where(rows.is_drawable, rows.table["tokens"].to_numpy(), 0)
        if self.strategy in NOISELESS:
            quality = self._qualities(rows)
            return Rows(rows.cell, descending(quality), keys_of(rows.table["id"]), tokens)
        with np.errstate(divide="ignore"):
            keys = np.log(self.weights(place, rows)) + rows.table["noise"].to_numpy()
        return Rows(rows.cell, descending(keys), positions(place, len(keys)), tokens)


def rank_path(scratch: Path) -> Path:
    """Where the ranks of a piece lie, for strategies that go by rank."""
    return scratch.with_suffix(".rank.npy")


def positions(place: Place, rows: int) -> NDArray[np.uint64]:
    """The positions of a piece's rows among all candidates."""
    import numpy as np

    return np.arange(place.start, place.start + rows).astype(np.uint64)


@dataclass(frozen=True)
class Sought:
    """The rows of a piece in the order of the draw: by cell, or by group.

    `passes` are those of each cell: rows that have more copies get none, and weigh nothing. With
    None, and by group, it does not matter what was drawn before.
    """

    order: Order
    by_group: bool = False
    passes: NDArray[np.int64] | None = None

    def __call__(self, place: Place) -> Rows:
        """The rows of a piece."""
        return self.of(place, place.read())

    def of(self, place: Place, candidates: Candidates) -> Rows:
        """The rows of the candidates of a piece."""
        import numpy as np

        rows, had = self.order.drawn(place, candidates), candidates.had
        if self.passes is not None and had is not None:
            is_open = had <= self.passes[candidates.cell]
            rows = replace(rows, weight=np.where(is_open, rows.weight, 0))
        return replace(rows, group=candidates.group) if self.by_group else rows


@dataclass(frozen=True)
class Ranked:
    """The rows of a piece with a quality, by group, in its order, each with a weight of 1."""

    def __call__(self, place: Place) -> Rows:
        """The rows of a piece."""
        return self.of(place, place.read())

    def of(self, place: Place, candidates: Candidates) -> Rows:
        """The rows of the candidates of a piece."""
        import numpy as np

        quality = candidates.table["quality"].to_numpy()
        ones = np.ones(len(quality), np.int64)
        ties = positions(place, len(quality))
        rows = Rows(candidates.group, ascending(quality), ties, ones)
        return rows.take(~np.isnan(quality))


@dataclass(frozen=True)
class _SumWeights:
    order: Order

    def __call__(self, place: Place) -> NDArray[np.float64]:
        """The number of documents with a quality, and the sum of their weights: 2 x groups."""
        import numpy as np

        rows = place.read()
        known = ~np.isnan(rows.table["quality"].to_numpy())
        size, weights = len(self.order.qualities.mean), self.order.weights(place, rows)
        counts = np.bincount(rows.group[known], minlength=size).astype(np.float64)
        return np.stack([counts, np.bincount(rows.group[known], weights[known], size)])


def with_abstained(engine: Engine, places: Sequence[Place], order: Order) -> Order:
    """The order in which documents that abstained have the mean weight of their group.

    A group of which all abstained has equal weights.
    """
    import numpy as np

    parts = list(in_order(engine.each(_SumWeights(order), places)))
    counts, sums = np.sum(parts, axis=0)
    means = np.divide(sums, counts, out=np.ones(len(sums)), where=counts > 0)
    return replace(order, abstained=means)
