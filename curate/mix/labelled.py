"""The documents that people labelled, among the candidates, and how they are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import reduce
from typing import TYPE_CHECKING

from curate.annotated.documents import Annotated
from curate.engine import in_order
from curate.mix.mapped import Mapped
from curate.mix.order import Order, Sought
from curate.mix.places import Place
from curate.mix.preparing import Prepared
from curate.mixture.chances import expected_copies
from curate.mixture.drawing import Cuts, copies_of
from curate.mixture.weights import NOISELESS
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """Labelled documents among the candidates, by id: a row of numbers each.

    group, origin: the numbers of its group, and of that before small ones were merged. abstained: 1
    where its quality is not trusted. drawn, foreseen: the tokens of its copies, and of those
    expected over the noise of the draw.
    """

    group: Mapping[str, int] = field(default_factory=dict)
    origin: Mapping[str, int] = field(default_factory=dict)
    abstained: Mapping[str, int] = field(default_factory=dict)
    drawn: Mapping[str, float] = field(default_factory=dict)
    foreseen: Mapping[str, float] = field(default_factory=dict)

    def joined(self, other: Found) -> Found:
        """Those of both."""
        names = [own.name for own in fields(self)]
        return Found(*({**getattr(self, name), **getattr(other, name)} for name in names))

    def of(self, name: str, ids: Sequence[str]) -> Array:
        """One of the numbers of some documents, in their order."""
        import numpy as np

        column: Mapping[str, float] = getattr(self, name)
        return np.array([column[id] for id in ids], np.float64)


@dataclass(frozen=True)
class Find:
    """Finds labelled documents among the candidates of a piece; without cuts nothing is drawn."""

    ids: frozenset[str]
    order: Order
    cuts: Mapped[Cuts] | None = None

    def __call__(self, place: Place) -> Found:
        """Those of a piece."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        candidates = place.read()
        wanted = pa.array(sorted(self.ids), pa.string())
        rows = np.flatnonzero(pc.is_in(candidates.table["id"], wanted).to_numpy())
        ids = candidates.table["id"].take(pa.array(rows)).to_pylist()
        origin = candidates.origins(rows)
        nothing = np.zeros(len(rows))
        has_draw = self.cuts is not None and len(rows) > 0
        drawn, foreseen = self._drawn(place, rows) if has_draw else (nothing, nothing)
        abstained = candidates.table["abstained"].to_numpy(zero_copy_only=False)[rows].astype(int)
        columns = (candidates.group[rows], origin, abstained, drawn, foreseen)
        return Found(*(dict(zip(ids, own.tolist(), strict=True)) for own in columns))

    def _drawn(self, place: Place, rows: NDArray[np.int64]) -> tuple[Array, Array]:
        """The tokens of all copies of some rows, and of those expected."""
        import numpy as np

        assert self.cuts is not None
        candidates, cuts = place.read(), self.cuts.read()
        own = Sought(self.order).of(place, candidates).take(rows)
        had = None if candidates.had is None else candidates.had[rows]
        drawn = (copies_of(own, cuts, had) * own.weight).astype(np.float64)
        if self.order.strategy in NOISELESS:
            return drawn, drawn
        with np.errstate(divide="ignore"):
            logs = np.log(self.order.weights(place, candidates)[rows])
        return drawn, expected_copies(logs, own.group, cuts, had) * own.weight


def find(
    workspace: Workspace,
    prepared: Prepared,
    annotated: Annotated,
    cuts: Mapped[Cuts] | None = None,
) -> Found:
    """Find all labelled documents among the candidates."""
    own = [*annotated.questions.values(), *([annotated.quality] if annotated.quality else [])]
    ids = frozenset(id for documents in own for id in documents.ids)
    if not ids:
        return Found()
    parts = workspace.engine.each(Find(ids, prepared.supply.order, cuts), prepared.supply.places)
    return reduce(Found.joined, in_order(parts), Found())
