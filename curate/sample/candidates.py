"""Documents that a strategy chooses from, as arrays: the stage and the benchmarks use the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Candidates:
    """Documents in the order in which they are wanted; ids break ties.

    `values` says how much each is wanted. A document stands in a shard (by its place) at a row
    among the kept ones. `vectors` are unit vectors, documents x dimensions; None where no strategy
    reads them. `known` are the unit vectors of documents that people have seen before.
    """

    ids: NDArray[np.str_]
    values: NDArray[np.float64]
    shards: NDArray[np.int64]
    rows: NDArray[np.int64]
    vectors: NDArray[np.float32] | None = None
    known: NDArray[np.float32] | None = None

    @staticmethod
    def none() -> Candidates:
        """No document."""
        import numpy as np

        nothing = np.zeros(0, np.int64)
        return Candidates(np.zeros(0, "U1"), np.zeros(0), nothing, nothing)

    def __len__(self) -> int:
        """The number of documents."""
        return len(self.ids)

    def take(self, places: NDArray[np.int64] | NDArray[np.bool_]) -> Candidates:
        """The documents at these places."""
        vectors = None if self.vectors is None else self.vectors[places]
        return replace(
            self,
            ids=self.ids[places],
            values=self.values[places],
            shards=self.shards[places],
            rows=self.rows[places],
            vectors=vectors,
        )

    def best(self, n: int) -> Candidates:
        """The n that are wanted most, in order."""
        import numpy as np

        return self.take(np.lexsort((self.ids, -self.values))[:n])

    def joined(self, other: Candidates, n: int) -> Candidates:
        """The n of both that are wanted most; neither has vectors yet."""
        import numpy as np

        both = Candidates(
            np.concatenate([self.ids, other.ids]),
            np.concatenate([self.values, other.values]),
            np.concatenate([self.shards, other.shards]),
            np.concatenate([self.rows, other.rows]),
        )
        return both.best(n)


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The vectors with length 1; zeros for one of zeros, and for one that is not finite."""
    import numpy as np

    finite = np.where(np.isfinite(vectors).all(axis=1, keepdims=True), vectors, np.float32(0))
    lengths = np.linalg.norm(finite, axis=1, keepdims=True)
    return np.asarray(finite / np.where(lengths > 0, lengths, 1), np.float32)
