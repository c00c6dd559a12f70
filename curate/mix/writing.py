"""Write the table `mix` shard by shard, and add up what was drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from curate import storage, tables
from curate.mix.foreseen import Classes
from curate.mix.mapped import Mapped
from curate.mix.order import Order, Ranked, Sought, rank_path
from curate.mix.passes import Fifths
from curate.mix.places import Candidates, Place
from curate.mixture.drawing import Cuts, copies_of
from curate.mixture.weights import NOISELESS

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Drawn:
    """What was drawn of each group, by its number: tokens and documents, copies counted.

    `candidates` is the number of documents that could be drawn. `pool_tokens` are as the pool
    counts. `foreseen` are the tokens that the probabilities foresee (see `Classes.foreseen`).
    """

    candidates: int
    tokens: NDArray[np.int64]
    pool_tokens: NDArray[np.int64]
    documents: NDArray[np.int64]
    foreseen: NDArray[np.float64]

    def joined(self, other: Drawn) -> Drawn:
        """The sums of both."""
        names = [field.name for field in fields(self)]
        return Drawn(*(getattr(self, name) + getattr(other, name) for name in names))


class Factors(NamedTuple):
    """What limits multiply each cell by, in the order of the cells."""

    factor: NDArray[np.float64]


@dataclass(frozen=True)
class Write:
    """Writes one shard of `mix` into a folder. `files` are the names of the shards' files."""

    folder: Path
    files: Mapping[int, str]
    groups: tuple[str, ...]
    classes: Classes
    order: Order
    cuts: Mapped[Cuts]
    factors: Mapped[Factors]
    fifths: Fifths

    def __call__(self, place: Place) -> Drawn:
        """Write the shard of a piece; what was drawn of it."""
        import numpy as np
        import pyarrow as pa

        candidates = place.read()
        rows = Sought(self.order).of(place, candidates)
        copies = copies_of(rows, self.cuts.read(), candidates.had)
        words = pa.array(self.groups, pa.string())
        columns = {
            "id": candidates.table["id"],
            "group": words.take(pa.array(candidates.group, pa.int64())),
            "bucket": self._buckets(place, candidates),
            "weight": self._weights(place, candidates),
            "copies": copies,
            "earlier": 0 * copies if candidates.earlier is None else candidates.earlier,
            "size": candidates.table["tokens"],
            "max_epochs": candidates.epochs,
            "factor": self.factors.read().factor[candidates.cell],
        }
        path = self.folder / self.files[place.number]
        storage.write_parquet(path, pa.table(columns, schema=tables.schema("mix")))
        size = len(self.groups)
        taken = copies * rows.weight
        tokens, pool_tokens, documents = (
            np.bincount(candidates.group, own, size).astype(np.int64)
            for own in (taken, copies * candidates.pool_tokens, copies)
        )
        foreseen = self.classes.foreseen(place, candidates, taken)
        return Drawn(len(copies), tokens, pool_tokens, documents, foreseen)

    def _buckets(self, place: Place, candidates: Candidates) -> pa.Array:
        import numpy as np
        import pyarrow as pa

        size = len(candidates.group)
        ranked = Ranked().of(place, candidates)
        rows = (ranked.tie - np.uint64(place.start)).astype(np.int64)
        fifths, is_unknown = np.zeros(size, np.int32), np.ones(size, bool)
        fifths[rows], is_unknown[rows] = self.fifths.fifth(ranked), False
        return pa.array(fifths, mask=is_unknown)

    def _weights(self, place: Place, candidates: Candidates) -> NDArray[np.float64]:
        import numpy as np

        if self.order.strategy in NOISELESS:
            return np.asarray(1 / np.load(rank_path(place.path)), np.float64)
        return self.order.weights(place, candidates)
