"""How far what people would answer may be from the quality of a document."""

from __future__ import annotations

from curate.heads import conformal
from curate.rounds.design import design_rows
from curate.score.labelled import Labelled
from curate.score.measuring import Known
from curate.workspace import Workspace


def half_width(known: Known | None, labelled: Labelled, workspace: Workspace) -> float | None:
    """The half-width of 90 % intervals around qualities; None where too little is known.

    Documents that a round drew by chance count by the inverse of their propensity. Without any
    (answers that were imported, tasks sent again) all count alike, as if they had been drawn.
    """
    import numpy as np

    if known is None:
        return None
    ids = [labelled.ids[row] for row in known.rows]
    design = design_rows(workspace.rounds.all(), set(ids))
    of_design = dict(zip(design.ids, design.propensities.tolist(), strict=True))
    residuals = known.truth - known.predicted
    if not design.has_random_rows:
        return conformal.half_width(residuals, np.ones(len(ids)))
    drawn = np.array([id in of_design for id in ids], bool)
    propensities = np.array([of_design.get(id, 1.0) for id in ids], np.float64)
    return conformal.half_width(residuals[drawn], propensities[drawn])
