"""The true shares of predicted classes in what is drawn, from the labelled documents.

They count as known; what others truly are is predicted, and corrected by what the predictions get
wrong on labelled ones, weighted as the draw weighs documents (see `inference.share_of_draw`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from curate.annotated.documents import LabelledDocuments
from curate.engine import in_order
from curate.inference.estimate import Estimate
from curate.inference.groups import Labelled, Unlabelled, share_of_draw
from curate.mix.labelled import Found
from curate.mix.mapped import Mapped
from curate.mix.order import Order, Sought
from curate.mix.places import Place
from curate.mix.preparing import Prepared
from curate.mixture.drawing import Cuts, copies_of
from curate.mixture.groups import Values
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def true_shares(
    workspace: Workspace,
    prepared: Prepared,
    cuts: Mapped[Cuts],
    place: int,
    own: LabelledDocuments,
    found: Found,
) -> list[Estimate | None]:
    """The true share of each group's class in what is drawn; None where nothing tells it.

    `own` are the labelled documents of the question that makes groups, `place` its place among the
    keys. The other keys of a group are known: its share is that of its class among what is drawn of
    documents with the same other values.
    """
    import numpy as np

    groups = prepared.supply.groups
    question = prepared.classes.questions[0]
    values = [value for value in own.values if f"{question}:{value}" in prepared.classes.columns]
    if not values:
        return [None] * len(groups.names)
    columns = tuple(f"{question}:{value}" for value in values)
    order, ids = prepared.supply.order, frozenset(found.group)
    count = CountRest(ids, order, cuts, columns, len(groups.origins))
    parts = list(in_order(workspace.engine.each(count, prepared.supply.places)))
    rest = dict(zip(values, np.sum(parts, axis=0), strict=True))
    drawn = Drawn.of(own, found, rest, [_others(origin, place) for origin in groups.origins])
    merged = groups.names[-1] if groups.merged else None
    return [
        drawn.share(group[place], _others(group, place)) if name != merged else None
        for name, group in zip(groups.names, groups.values, strict=True)
    ]


def _others(values: Values, place: int) -> Values:
    """The values of a group but that of its class."""
    return (*values[:place], *values[place + 1 :])


@dataclass(frozen=True)
class CountRest:
    """Sums over what is drawn of documents without a label: classes x 3 x origins.

    The three are Σ w, Σ w p and Σ w² p (1 - p), where w are the tokens drawn of a document and p is
    its probability of a class, of which `columns` are the names.
    """

    labelled: frozenset[str]
    order: Order
    cuts: Mapped[Cuts]
    columns: tuple[str, ...]
    origins: int

    def __call__(self, place: Place) -> Array:
        """The sums of a piece."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        candidates = place.read()
        rows = Sought(self.order).of(place, candidates)
        taken = copies_of(rows, self.cuts.read(), candidates.had) * rows.weight
        labelled = pa.array(sorted(self.labelled), pa.string())
        is_labelled = pc.is_in(candidates.table["id"], labelled).to_numpy()
        unseen = np.flatnonzero((taken > 0) & ~is_labelled)
        weight = taken[unseen].astype(np.float64)
        origin = candidates.origins(unseen)
        sums = np.empty((len(self.columns), 3, self.origins))
        for number, name in enumerate(self.columns):
            chance = candidates.table[name].to_numpy()[unseen]
            parts = (weight, weight * chance, weight**2 * chance * (1 - chance))
            sums[number] = [np.bincount(origin, part, self.origins) for part in parts]
        return sums


@dataclass(frozen=True)
class Drawn:
    """What is drawn of labelled documents, a row each, and of all others.

    `labels` are those of the question; `other` is the number of each one's other values in
    `others`, `drawn` and `foreseen` are the tokens of its copies, and of those expected. `rest` are
    the sums of `CountRest` by class, `other_of` the number of the other values of each origin.
    """

    labels: LabelledDocuments
    other: NDArray[np.int64]
    drawn: Array
    foreseen: Array
    rest: dict[str, Array]
    others: tuple[Values, ...]
    other_of: NDArray[np.int64]

    @staticmethod
    def of(
        labels: LabelledDocuments, found: Found, rest: dict[str, Array], others: Sequence[Values]
    ) -> Drawn:
        """Those among the candidates; `others` are the other values of each origin."""
        import numpy as np

        rows = [row for row, id in enumerate(labels.ids) if id in found.group]
        ids = [labels.ids[row] for row in rows]
        names = tuple(dict.fromkeys(others))
        other_of = np.array([names.index(own) for own in others], np.int64)
        return Drawn(
            labels.at(rows),
            other_of[found.of("origin", ids).astype(np.int64)],
            found.of("drawn", ids),
            found.of("foreseen", ids),
            rest,
            names,
            other_of,
        )

    def share(self, value: str, others: Values) -> Estimate | None:
        """The true share of a class, among documents with some other values, of all that is drawn.

        None for a class that nobody asks for, or if nothing of these documents is drawn.
        """
        if value not in self.rest:
            return None
        number = self.others.index(others)
        sums = self.rest[value]
        inside, place = self.other == number, self.labels.values.index(value)
        rest = Unlabelled(*(float(part[self.other_of == number].sum()) for part in sums))
        here = rest.weight + float(self.drawn[inside].sum())
        if not here:
            return None
        labelled = Labelled(
            self.labels.truth.values[inside, place],
            self.labels.predicted[inside, place],
            self.labels.weights[inside],
            self.labels.truth.variances[inside, place],
        )
        own = share_of_draw(labelled, self.drawn[inside], self.foreseen[inside], rest)
        return _scaled(own.within(0, 1), here / (float(sums[0].sum()) + float(self.drawn.sum())))


def _scaled(estimate: Estimate, part: float) -> Estimate:
    """An estimate of a share of a part, as a share of the whole."""
    low, high = (None if end is None else end * part for end in (estimate.low, estimate.high))
    error = estimate.error * part
    return replace(estimate, value=estimate.value * part, error=error, low=low, high=high)
