"""The sampling frame: the documents that can be sent, and their strata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from curate.sample.spec import SampleSpec
from curate.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd


def read_frame(workspace: Workspace, spec: SampleSpec) -> pd.DataFrame:
    """Return the documents that can be sent: kept, not held out and in no earlier round.

    Documents of a round that was closed before it was sent count again. A `stratum` is the values
    of the columns `by`, joined by `/`; a null is `unknown`.
    """
    columns = ["id", "holdout", *spec.by]
    frame: pd.DataFrame = workspace.documents.table(columns).to_pandas()
    unsent = [
        round_.number for round_ in workspace.rounds.all() if round_.closed and round_.push is None
    ]
    rounds = (round_ for round_ in workspace.rounds.all() if round_.number not in unsent)
    sent = {id for round_ in rounds for ids in round_.documents().values() for id in ids}
    frame = frame[~frame["holdout"] & ~frame["id"].isin(sent)].reset_index(drop=True)
    stratum = frame[list(spec.by)].fillna("unknown").agg("/".join, axis=1) if len(frame) else ""
    return frame.assign(stratum=stratum)


def strata_of(frame: pd.DataFrame) -> list[tuple[Any, pd.Series[int]]]:
    """Return each stratum and the positions of its rows, sorted by stratum."""
    import pandas as pd

    positions = pd.Series(range(len(frame)))
    return [(name, rows) for name, rows in positions.groupby(frame["stratum"].to_numpy())]
