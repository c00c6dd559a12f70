"""The sampling frame: the documents that can be asked about, and their strata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from curate.sample.spec import SampleSpec
from curate.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd


def read_frame(workspace: Workspace, spec: SampleSpec) -> pd.DataFrame:
    columns = ["id", "holdout", *spec.by]
    frame: pd.DataFrame = workspace.document_table(columns).to_pandas()
    unsent = [each.number for each in workspace.rounds if each.closed and each.push is None]
    taken = (each for each in workspace.rounds if each.number not in unsent)
    sent = {id for each in taken for ids in each.documents().values() for id in ids}
    frame = frame[~frame["holdout"] & ~frame["id"].isin(sent)].reset_index(drop=True)
    stratum = frame[list(spec.by)].fillna("unknown").agg("/".join, axis=1) if len(frame) else ""
    return frame.assign(stratum=stratum)


def strata_of(frame: pd.DataFrame) -> list[tuple[Any, pd.Series[int]]]:
    import pandas as pd

    places = pd.Series(range(len(frame)))
    return [(name, part) for name, part in places.groupby(frame["stratum"].to_numpy())]
