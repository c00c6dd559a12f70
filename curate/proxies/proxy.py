"""What every proxy does: it learns a mixture, and is measured on held-out texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Learned:
    """What a proxy learned from one draw of a mixture.

    `losses` are those on each held-out text as a whole, in nats; 0 on an empty text.
    """

    losses: NDArray[np.float64]


class Proxy(Protocol):
    """A small language model, ready to learn from any of its candidates.

    `names` are those of the sources; `source` is the number of each held-out text's source, `bytes`
    its size.
    """

    names: tuple[str, ...]
    source: NDArray[np.int64]
    bytes: NDArray[np.int64]

    def learn(self, copies: NDArray[np.int64], seed: int) -> Learned:
        """Learn from the candidates, each read as often as `copies` says, and measure.

        `seed` is that of everything that is random in training.
        """

    def by_source(self, losses: NDArray[np.float64]) -> dict[str, float]:
        """The mean of each source with a held-out byte, in nats per byte, from each text's loss."""
