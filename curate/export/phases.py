"""The lines of documents, by phase: a phase is a part of the mixture, read after those before it.

A mixture without phases is one part without a name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate import tables
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Phases:
    """The phases of a mixture by name, in the order of training; none if it is one whole."""

    names: tuple[str, ...] = ()

    @staticmethod
    def of(workspace: Workspace) -> Phases:
        """Those of the mixture that is there."""
        phases = workspace.tables.made("mix").spec.get("phases") or ()
        return Phases(tuple(str(phase["name"]) for phase in phases))

    @property
    def parts(self) -> tuple[str | None, ...]:
        """The name of each part; None for a whole without phases."""
        return self.names or (None,)

    @property
    def copies(self) -> list[str]:
        """The columns with the copies of each part."""
        return tables.by_phase("copies", self.names)

    @property
    def groups(self) -> list[str]:
        """The columns with the groups of each part."""
        return tables.by_phase("group", self.names)

    @property
    def columns(self) -> list[str]:
        """The columns of `mix` that phases alone have."""
        own = zip(self.copies, self.groups, strict=True)
        return [name for pair in own for name in pair] if len(self.names) > 1 else []

    def lines(self, documents: pa.Table) -> Lines:
        """The lines of drawn documents: the copies of one document are in the order of parts."""
        import numpy as np

        copies = np.stack([documents[name].to_numpy() for name in self.copies], axis=1)
        total = copies.sum(axis=1)
        rows = np.arange(len(copies))
        parts = np.tile(np.arange(copies.shape[1]), len(copies))
        row = np.repeat(rows, total)
        first = np.repeat(np.cumsum(total) - total, total)
        copy = 1 + np.arange(len(row)) - first
        return Lines(row, copy, np.repeat(parts, copies.ravel()))

    def group(self, documents: pa.RecordBatch, part: NDArray[np.int64]) -> pa.Array:
        """The group of each document in the part of its line."""
        import numpy as np
        import pyarrow as pa

        columns = [documents.column(name) for name in self.groups]
        places = part * documents.num_rows + np.arange(documents.num_rows)
        return pa.concat_arrays(columns).take(pa.array(places))

    def phase(self, part: NDArray[np.int64]) -> pa.Array:
        """The name of the phase of each line; only where there are phases."""
        import pyarrow as pa

        return pa.array(self.names, pa.string()).take(pa.array(part))


@dataclass(frozen=True)
class Lines:
    """Lines: the row of each one's document, the number of its copy from 1, and of its part."""

    row: NDArray[np.int64]
    copy: NDArray[np.int64]
    part: NDArray[np.int64]

    def take(self, places: NDArray[np.int64] | slice) -> Lines:
        """The lines at these places."""
        return Lines(self.row[places], self.copy[places], self.part[places])
