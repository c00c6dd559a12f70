"""What people's labels tell of a mixture: intervals of what is promised, and of what is true.

The quality of a group is the prediction-powered mean of the labels in it. It is drawn many times,
and each draw goes through shares and limits. Predictions of labelled documents in `scores` are out
of fold, so they are drawn as unlabelled ones are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING

from curate.annotated.documents import Annotated, LabelledDocuments, labelled_documents
from curate.inference.estimate import Estimate
from curate.inference.groups import Labelled, group_mean
from curate.mix.certainty import Certainty
from curate.mix.keys import is_question
from curate.mix.labelled import Found, find
from curate.mix.planning import Drawing
from curate.mix.preparing import Prepared
from curate.mix.sharing import Wish
from curate.mix.true_classes import true_shares
from curate.mixture.groups import Facts, Groups
from curate.mixture.intervals import (
    FEW,
    Ends,
    GroupQualities,
    draws_of,
    not_told_apart,
    promised_intervals,
    qualities_of,
)
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def group_qualities(
    groups: Groups, quality: LabelledDocuments | None, found: Found
) -> GroupQualities:
    """The prediction-powered mean quality of each group, with its error.

    A document that abstained is predicted to be average, as among the candidates.
    """
    import numpy as np

    foreseen = dict(zip(groups.names, groups.mean_qualities(), strict=True))
    if quality is None:
        return qualities_of(foreseen, {})
    quality = quality.at([row for row, id in enumerate(quality.ids) if id in found.group])
    group = found.of("group", quality.ids)
    average = reduce(Facts.joined, groups.facts).mean
    is_trusted = found.of("abstained", quality.ids) == 0
    quality = replace(quality, predicted=np.where(is_trusted, quality.predicted, average))
    estimates = {}
    for number in np.unique(group).astype(int).tolist():
        own = quality.at(np.flatnonzero(group == number).tolist())
        labelled = Labelled(own.truth.values, own.predicted, own.weights, own.truth.variances)
        estimates[groups.names[number]] = group_mean(labelled, foreseen[groups.names[number]])
    return qualities_of(foreseen, estimates)


def promised(
    prepared: Prepared, drawing: Drawing, wish: Wish, qualities: GroupQualities
) -> tuple[Ends, list[tuple[str, ...]]]:
    """The intervals of the promised shares, and the groups that cannot be told apart.

    The qualities of groups are drawn, and each draw goes through shares and limits. The parts that
    cells have of their groups stay as they are.
    """
    import numpy as np

    groups, cells = prepared.supply.groups, prepared.supply.limited.cells

    def wanted(own: Array) -> Array:
        shares = wish.shares(prepared, own.tolist())
        return np.array([shares[name] for name in groups.names])

    base = wanted(qualities.means)

    def shares(drawn: Array) -> Array:
        own = wanted(drawn)
        factor = np.divide(own, base, out=np.ones(len(own)), where=base > 0)
        prior = drawing.prior * factor[cells.group]
        projected = drawing.problem.project(prior, drawing.projected.start)
        return cells.by_group(projected.shares, len(groups.names))

    draws = draws_of(qualities)
    return promised_intervals(draws, shares), not_told_apart(groups.names, draws)


@dataclass(frozen=True)
class Evidence:
    """What people's labels tell of a mixture; None where they tell nothing.

    `qualities` are those of groups, where shares follow them.
    """

    annotated: Annotated | None = None
    qualities: GroupQualities | None = None

    @staticmethod
    def of(workspace: Workspace, prepared: Prepared, wish: Wish) -> Evidence:
        """The labelled documents, and the qualities of groups where shares follow them."""
        if not workspace.freshness.fits("scores", "labels"):
            return Evidence()
        annotated = labelled_documents(workspace)
        if wish.spec.between.strategy != "quality":
            return Evidence(annotated)
        found = find(workspace, prepared, annotated)
        groups = prepared.supply.groups
        return Evidence(annotated, group_qualities(groups, annotated.quality, found))

    @property
    def means(self) -> list[float] | None:
        """The mean qualities that shares follow."""
        return None if self.qualities is None else self.qualities.means.tolist()

    def certainty(
        self, workspace: Workspace, prepared: Prepared, drawing: Drawing, wish: Wish
    ) -> Certainty:
        """How sure the shares of a drawing are."""
        true = self._true(workspace, prepared, drawing, wish.spec.groups)
        if self.qualities is None:
            labels = [None if own is None else own.effective for own in true]
            named = zip(prepared.supply.groups.names, labels, strict=False)
            few = [name for name, own in named if own is not None and own < FEW]
            return Certainty(None, true, labels, few)
        ends, alike = promised(prepared, drawing, wish, self.qualities)
        effective = self.qualities.effective.tolist()
        return Certainty(ends, true, effective, self.qualities.few(), alike)

    def _true(
        self, workspace: Workspace, prepared: Prepared, drawing: Drawing, keys: Sequence[str]
    ) -> Sequence[Estimate | None]:
        """The true shares of groups, where one question makes them and has labels."""
        asked = [place for place, key in enumerate(keys) if is_question(key)]
        if self.annotated is None or len(asked) != 1:
            return ()
        own = self.annotated.questions.get(keys[asked[0]])
        if own is None:
            return ()
        found = find(workspace, prepared, self.annotated, drawing.cuts)
        return true_shares(workspace, prepared, drawing.cuts, asked[0], own, found)
