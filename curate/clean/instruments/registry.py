"""What measures documents beside the rule sets: each with a section of its own in the recipe.

An instrument is one object below, in the order in which they measure; those that edit come first,
since the others see the text as edited. The recipe's section of its name is its settings; where
the section is left out, the instrument rests. The order of the verdicts is `DECIDES`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from curate.clean.instruments.contamination import Contamination
from curate.clean.instruments.language import Language
from curate.clean.instruments.licenses import License
from curate.clean.instruments.privacy.instrument import Privacy
from curate.clean.instruments.relevance import Relevance

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from curate.clean.edits import Batch
    from curate.spec import Spec
    from curate.workspace import Workspace


class Instrument(Protocol):
    """One kind of measurement, and the verdict that follows from it."""

    def prepare(self, workspace: Workspace, settings: Any) -> Any:
        """Return what measuring needs, as a small picklable value whose JSON says what it measures.

        It holds everything of the settings and of the files they name (by digest) that changes
        what is measured, and nothing that only changes the verdict: it decides whether what was
        measured before can be used again. Called once, in the first process.
        """
        ...

    def measure(self, batch: Batch, prepared: Any) -> Mapping[str, pa.Array]:
        """Return columns, one value per document: declared in `tables`, or named `name:signal`.

        `batch.edit` lays edits over a document's canonical text. Pure; runs in workers.
        """
        ...

    def fails(self, measured: pa.Table, settings: Any) -> NDArray[np.bool_]:
        """Return which documents fail; pure.

        `measured` holds what was measured, and pool's id, source, license, language and batch.
        """
        ...


@runtime_checkable
class Overall(Protocol):
    """An instrument whose verdict needs to know of all shards, as a share of the best does."""

    def settle(self, shards: Sequence[Path], settings: Any) -> Any:
        """Return the settings with what is known of all shards, which hold what was measured."""
        ...


INSTRUMENTS: dict[str, Instrument] = {
    "privacy": Privacy(),
    "language": Language(),
    "license": License(),
    "contamination": Contamination(),
    "relevance": Relevance(),
}
"""By their name, which is the reason they give, in the order in which they measure."""

DECIDES: tuple[str, ...] = ("language", "license", "privacy", "contamination", "relevance")
"""The order of their verdicts, after those of the rule sets."""


@dataclass(frozen=True)
class Asked:
    """An instrument that the recipe asks for, and the settings it gives."""

    name: str
    settings: Spec

    @property
    def instrument(self) -> Instrument:
        """Return the instrument itself."""
        return INSTRUMENTS[self.name]


def asked(spec: Any) -> list[Asked]:
    """Return the instruments whose section the settings of `clean` hold, as they measure."""
    found = ((name, getattr(spec, name, None)) for name in INSTRUMENTS)
    return [Asked(name, settings) for name, settings in found if settings is not None]


def deciding(spec: Any, shards: Sequence[Path] = ()) -> list[Asked]:
    """Return the instruments that are asked, in the order of their verdicts.

    `shards` hold what was measured, for those that need to know of all of it.
    """
    found = [
        Asked(each.name, each.instrument.settle(shards, each.settings))
        if isinstance(each.instrument, Overall)
        else each
        for each in asked(spec)
    ]
    return sorted(found, key=lambda each: DECIDES.index(each.name))
