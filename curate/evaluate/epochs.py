"""How often each source is read: by the model that a mixture is made for, and by the proxy.

A proxy that repeats a source less than the whole run would think too well of it (Muennighoff et al.
2023, arXiv 2305.16264). So the budget is cut as the supply is: the proxy reads the same part of
every source, and draws from it the same part of the budget.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.evaluate.strata import Texts, rows_by
from curate.rounding import rounded
from curate.warning import StageWarning, warn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

APART = 0.1
"""From this part of a source's epochs on, it is told that the proxy repeats it otherwise."""


@dataclass(frozen=True)
class Epochs:
    """How often a source is read: tokens of the mixture over tokens there are.

    `target` is that of the whole mixture, `proxy` that of the texts that the proxy reads, null
    where it reads none.
    """

    source: str
    target: float
    proxy: float | None

    @property
    def differs(self) -> bool:
        """Whether the proxy repeats the source more or less than the whole run would."""
        if self.proxy is None:
            return self.target > 0
        return abs(self.proxy - self.target) > APART * self.target


def epochs_of(
    target: Mapping[str, float], texts: Texts, copies: NDArray[np.float64]
) -> tuple[Epochs, ...]:
    """The epochs of every source; `copies` are those of each text, on the mean over draws."""
    proxy = {
        source: float((copies[rows] * texts.tokens[rows]).sum() / texts.tokens[rows].sum())
        for source, rows in rows_by(texts.source).items()
        if texts.tokens[rows].sum()
    }
    return tuple(Epochs(source, own, proxy.get(source)) for source, own in target.items())


def warnings_on_epochs(epochs: tuple[Epochs, ...]) -> Iterator[StageWarning]:
    """Yield a warning where the proxy repeats sources otherwise than the whole run would."""
    differing = [own for own in epochs if own.differs]
    told = [
        f"{own.source} ({rounded(own.target, '.2f')} epochs, not {rounded(own.proxy, '.2f')})"
        if own.proxy is not None
        else f"{own.source} ({rounded(own.target, '.2f')} epochs, and no text is read)"
        for own in differing
    ]
    words = (
        "the proxy does not repeat {sources} as the whole run does: raise `evaluate.train_bytes`"
    )
    if told:
        figures = [
            {"source": own.source, "target": own.target, "proxy": own.proxy} for own in differing
        ]
        yield warn("evaluate.epochs", words, sources=told, epochs=figures)
