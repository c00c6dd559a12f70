"""The instruments: measurements beside the rule sets, each with its own section in the recipe.

`INSTRUMENTS` has one object per instrument, in the order of measuring. Those that edit come first,
since the others see the edited text. The recipe's section of the same name holds the settings;
without it, the instrument is not used. `DECIDES` is the order of the verdicts.
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
        """Prepare the value that `measure` needs: small and picklable.

        Its JSON decides whether earlier measurements can be used again. It therefore holds every
        setting, and the digest of every file, that changes the measurement, but none that only
        changes the verdict. Called once, in the first process.
        """
        ...

    def measure(self, batch: Batch, prepared: Any) -> Mapping[str, pa.Array]:
        """The measured columns, with one value per document.

        A column is declared in `tables`, or named `name:signal`. `batch.edit` adds edits over a
        document's canonical text. Pure; runs in workers.
        """
        ...

    def fails(self, measured: pa.Table, settings: Any) -> NDArray[np.bool_]:
        """Whether each document fails; pure.

        `measured` has the measured columns, and the pool's id, source, license, language and batch.
        """
        ...


@runtime_checkable
class Overall(Protocol):
    """An instrument whose verdict depends on all shards, such as a share of the best."""

    def settle(self, shards: Sequence[Path], settings: Any) -> Any:
        """The settings, completed from the measured columns in all shards."""
        ...


INSTRUMENTS: dict[str, Instrument] = {
    "privacy": Privacy(),
    "language": Language(),
    "license": License(),
    "contamination": Contamination(),
    "relevance": Relevance(),
}
"""By name, in the order of measuring. The name is also the reason in a verdict."""

DECIDES: tuple[str, ...] = ("language", "license", "privacy", "contamination", "relevance")
"""The order of the verdicts, after those of the rule sets."""


@dataclass(frozen=True)
class UsedInstrument:
    """An instrument that the recipe asks for, and its settings."""

    name: str
    settings: Spec

    @property
    def instrument(self) -> Instrument:
        """The instrument itself."""
        return INSTRUMENTS[self.name]


def used_instruments(spec: Any) -> list[UsedInstrument]:
    """The instruments with a section in the settings of `clean`, in the order of measuring."""
    sections = ((name, getattr(spec, name, None)) for name in INSTRUMENTS)
    return [UsedInstrument(name, settings) for name, settings in sections if settings is not None]


def deciding(spec: Any, shards: Sequence[Path] = ()) -> list[UsedInstrument]:
    """The instruments that the recipe asks for, in the order of their verdicts.

    `shards` hold the measured columns, for instruments whose verdict depends on all of them.
    """
    settled = [
        UsedInstrument(request.name, request.instrument.settle(shards, request.settings))
        if isinstance(request.instrument, Overall)
        else request
        for request in used_instruments(spec)
    ]
    return sorted(settled, key=lambda request: DECIDES.index(request.name))
