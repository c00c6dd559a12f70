"""The pieces of the candidates in the whole: what their groups and cells are numbered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from curate.mix.candidates import Piece, read
from curate.mix.limiting import Limited
from curate.mix.mapped import Mapped, mapped
from curate.mixture.cells import Cells, Finder, Part
from curate.mixture.groups import Groups, Values

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Place:
    """A piece in the whole: its scratch files, and its first position.

    `numbers` holds the numbers of its own cells in all, of their groups, and of these before small
    ones were merged (see `Numbers`).
    """

    number: int
    path: Path
    numbers: Mapped[Numbers]
    start: int

    def read(self) -> Candidates:
        """The candidates."""
        table, numbers = read(self.path), self.numbers.read()
        local = table["cell"].to_numpy()
        return Candidates(table, local, numbers.group[local], numbers.cell[local], numbers)


class Numbers(NamedTuple):
    """The numbers of cells, and of their groups; `origin` is that before small ones were merged.

    `epochs` are the copies of a document at most.
    """

    cell: NDArray[np.int64]
    group: NDArray[np.int64]
    origin: NDArray[np.int64]
    epochs: NDArray[np.int64]


class Candidates(NamedTuple):
    """The candidates of a piece: each one's cell in the piece, and its group and cell in all.

    `numbers` are those of the cells in the piece.
    """

    table: pa.Table
    local: NDArray[np.int32]
    group: NDArray[np.int64]
    cell: NDArray[np.int64]
    numbers: Numbers

    def origins(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The groups of some rows before small ones were merged."""
        return self.numbers.origin[self.local[rows]]

    @property
    def epochs(self) -> NDArray[np.int64]:
        """The copies that every row may have at most."""
        return self.numbers.epochs[self.local]

    @property
    def is_drawable(self) -> NDArray[np.bool_]:
        """Which rows have a weight above 0."""
        import numpy as np

        if "drawable" not in self.table.column_names:
            return np.ones(len(self.group), bool)
        return np.asarray(self.table["drawable"].to_numpy(zero_copy_only=False), bool)

    @property
    def had(self) -> NDArray[np.int64] | None:
        """The copies that every row has already; None if nothing was drawn before."""
        return self._numbers("had")

    @property
    def earlier(self) -> NDArray[np.int64] | None:
        """Those of earlier exports alone."""
        return self._numbers("earlier")

    def _numbers(self, name: str) -> NDArray[np.int64] | None:
        import numpy as np

        has = name in self.table.column_names
        return np.asarray(self.table[name].to_numpy(), np.int64) if has else None

    @property
    def pool_tokens(self) -> NDArray[np.int64]:
        """The tokens of every row as the pool counts."""
        import numpy as np

        name = "pool_tokens" if "pool_tokens" in self.table.column_names else "tokens"
        return np.asarray(self.table[name].to_numpy(), np.int64)


@dataclass(frozen=True)
class Numbering:
    """The cells of all pieces, and how those of a piece are numbered among them.

    `origin_of` are the places of values in `Groups.origins`, `group_of` the groups of these.
    """

    cells: Cells
    origin_of: dict[Values, int]
    group_of: NDArray[np.int64]

    @staticmethod
    def of(pieces: Sequence[Piece], groups: Groups) -> Numbering:
        """The cells of all pieces."""
        import numpy as np

        origin_of = {values: number for number, values in enumerate(groups.origins)}
        group_of = np.array(groups.number_of_origin, np.int64)
        parts = (_in_all(piece, origin_of, group_of)[0] for piece in pieces)
        return Numbering(Cells.of(parts), origin_of, group_of)

    def places(
        self, pieces: Sequence[Piece], limited: Limited, numbers: NDArray[np.int64]
    ) -> list[Place]:
        """The pieces in order, with their places in the cells of limits.

        `numbers` are, for each of its own cells, those of these.
        """
        places, start, finder = [], 0, Finder.of(self.cells)
        for piece in pieces:
            part, origins = _in_all(piece, self.origin_of, self.group_of)
            joined = numbers[finder.numbers(part)]
            path = piece.path.with_suffix(".cells")
            group, epochs = limited.cells.group[joined], limited.epochs[joined]
            columns = Numbers(joined, group, origins, epochs)
            own = mapped(path, Numbers, **columns._asdict())
            places.append(Place(piece.number, piece.path, own, start))
            start += piece.documents
        return places


def _in_all(
    piece: Piece, origin_of: Mapping[Values, int], group_of: NDArray[np.int64]
) -> tuple[Part, NDArray[np.int64]]:
    """The cells of a piece by the groups of all, and these before small ones were merged."""
    import numpy as np

    part = piece.cells
    origins = np.array([origin_of[values] for values in piece.groups], np.int64)[part.group]
    return replace(part, group=group_of[origins]), origins
