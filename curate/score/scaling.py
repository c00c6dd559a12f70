"""The scale of vectors: their mean in each dimension, and one spread for all dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.embed import VectorShard
from curate.engine import in_order
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """Centres vectors at 0, with an overall standard deviation of 1.

    All dimensions share one spread: separate ones would inflate those that hold only noise.
    """

    mean: Array
    spread: float

    def scaled(self, vectors: NDArray[np.float32]) -> Array:
        """The vectors on this scale: documents x dimensions."""
        import numpy as np

        return np.asarray((vectors - self.mean) / self.spread, np.float64)

    def unscaled(self, weights: Array, bias: Array) -> tuple[Array, Array]:
        """Weights and bias that do for vectors as they are what these do for scaled ones."""
        own = weights / self.spread
        return own, bias - self.mean @ own


@dataclass(frozen=True)
class Moments:
    """Number, mean and sum of squared distances from the mean of vectors (Chan et al. 1983)."""

    number: int
    mean: Array
    squares: float

    @classmethod
    def of(cls, vectors: NDArray[np.float32]) -> Moments:
        """The moments of vectors: documents x dimensions."""
        import numpy as np

        mean = vectors.mean(axis=0, dtype=np.float64)
        return cls(len(vectors), mean, float(((vectors - mean) ** 2).sum()))

    def __add__(self, other: Moments) -> Moments:
        """The moments of both."""
        number = self.number + other.number
        if not self.number or not other.number:
            return self if self.number else other
        step = other.mean - self.mean
        between = float((step**2).sum()) * self.number * other.number / number
        mean = self.mean + step * (other.number / number)
        return Moments(number, mean, self.squares + other.squares + between)

    def scale(self) -> Scale:
        """The scale that these vectors have."""
        import numpy as np

        spread = float(np.sqrt(self.squares / max(1, self.number * len(self.mean))))
        return Scale(self.mean, spread or 1.0)


def moments_of(shard: VectorShard) -> Moments:
    """The moments of a shard's vectors."""
    import numpy as np

    total = Moments(0, np.zeros(shard.dimension), 0.0)
    for _, vectors in shard.batches():
        total += Moments.of(vectors)
    return total


def measure(workspace: Workspace, shards: Sequence[VectorShard]) -> Scale:
    """The scale of all vectors, added up in the order of the shards."""
    import numpy as np

    dimension = shards[0].dimension if shards else 0
    total = Moments(0, np.zeros(dimension), 0.0)
    documents = sum(shard.rows() for shard in shards)
    with workspace.watch("measuring vectors", documents) as advance:
        for part in in_order(workspace.engine.each(moments_of, shards)):
            total += part
            advance(part.number)
    return total.scale()
