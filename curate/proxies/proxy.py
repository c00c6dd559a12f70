"""What every proxy does: it learns a mixture, and is measured on held-out texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Mark:
    """The losses after so many steps, in nats per token: on texts trained on, and held out.

    The loss held out is the mean over sources. `gap` is how much it lies above the other one.
    """

    step: int
    training: float
    validation: float

    @property
    def gap(self) -> float:
        """The loss held out minus the loss on texts trained on."""
        return self.validation - self.training


@dataclass(frozen=True)
class Samples:
    """What a proxy writes after a prompt, before training and after it."""

    prompt: str
    before: str
    after: str


@dataclass(frozen=True)
class Training:
    """How a proxy was trained.

    Attributes:
        parameters: how many the model has.
        steps: those that were done; fewer than planned where it `stopped` early.
        kept: the step whose weights were kept and measured.
        tokens: those that were read, ends of texts included.
        epochs: how often the mixture was read; below 1, only a part of it was.
        tokens_a_second: those that were read in a second of training.
        curve: the losses at some steps, from 0 on.
        overfits: whether the loss held out has risen while that in training fell.
        samples: what it writes; None if it was not asked to.
        nats_per_token: the mean loss on each source, by name; None where no text is held out.
    """

    parameters: int
    steps: int
    kept: int
    tokens: int
    epochs: float
    tokens_a_second: float
    stopped: bool
    overfits: bool
    curve: tuple[Mark, ...]
    samples: Samples | None
    nats_per_token: dict[str, float]


@dataclass(frozen=True)
class Learned:
    """What a proxy learned from one draw of a mixture.

    `losses` are those on each held-out text as a whole, in nats; 0 on an empty text. `training` is
    how it was trained; None for a proxy that only counts.
    """

    losses: NDArray[np.float64]
    training: Training | None = None


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


def mean_by_source(
    names: Sequence[str],
    source: NDArray[np.int64],
    sizes: NDArray[np.int64],
    losses: NDArray[np.float64],
) -> dict[str, float]:
    """The loss of each source per unit of its texts' `sizes`, without sources of no size.

    Σ losses / Σ sizes over the source's texts: in bytes, nats per byte; in tokens, nats per token.
    """
    import numpy as np

    total = np.bincount(source, losses, len(names))
    units = np.bincount(source, sizes, len(names))
    means = total / np.maximum(units, 1)
    return {name: float(means[n]) for n, name in enumerate(names) if units[n]}
