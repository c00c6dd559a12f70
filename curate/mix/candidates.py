"""The documents that can be drawn: kept, outside the holdout, with their group and quality."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curate import tables
from curate.errors import DataError, RecipeError
from curate.mix.spec import MixSpec
from curate.mixture.groups import buckets
from curate.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("source", "language", "license")
"""The columns that documents can be grouped by, beside the predicted class of a question."""


def needs_scores(spec: MixSpec) -> bool:
    """Whether the mixture depends on predictions or quality."""
    return (
        any(name not in COLUMNS for name in spec.groups)
        or spec.within.strategy != "equal"
        or spec.between.strategy == "quality"
    )


def needs_quality(spec: MixSpec) -> bool:
    """Whether shares or weights follow quality."""
    return spec.within.strategy != "equal" or spec.between.strategy == "quality"


def candidates(workspace: Workspace, spec: MixSpec) -> pd.DataFrame:
    """The documents that can be drawn, in pool order: id, tokens, group, quality and bucket.

    Raises DataError where a document is an image alone or has no scores, or where none is left;
    RecipeError for an unknown group, and where quality is needed and `score` has none.
    """
    items: pd.DataFrame = workspace.documents.table(
        ("id", "tokens", "holdout", "media", *COLUMNS)
    ).to_pandas()
    items = items[~items["holdout"]]
    images = int((items.pop("media").notna() & (items["tokens"] == 0)).sum())
    if images:
        raise DataError(
            f"{images} of the documents are images alone: they have no tokens to mix",
            hint="they are for people to label; a rule of `clean` such as `length` leaves them out",
        )
    items = items[items["tokens"] > 0]
    scores = workspace.tables.stored("scores")
    if scores:
        items = items.merge(workspace.tables.read("scores").to_pandas(), on="id", how="left")
    if items.empty:
        raise DataError("no document is left to mix", hint="see the reasons in `clean`")
    columns = list(map(column_of, spec.groups))
    for name, column in zip(spec.groups, columns, strict=True):
        if column not in items.columns:
            questions = [workspace.tables.made("scores").facts["question"]] if scores else []
            raise RecipeError(
                f"mix.groups: nothing to group by is called {name}",
                hint=f"there are: {', '.join((*COLUMNS, *questions))}",
            )
    if needs_scores(spec) and items["out_of_fold"].isna().any():
        raise DataError("some documents have no scores yet", hint="run `curate score` again")
    if "quality" not in items.columns:
        items["quality"] = float("nan")
    if needs_quality(spec) and items["quality"].isna().all():
        raise RecipeError(
            "mix: the weights need quality, and `score` has none",
            hint="declare `score: {quality: …}`",
        )
    items[columns] = items[columns].fillna("unknown").astype(str)
    items["group"] = items[columns].agg("/".join, axis=1)
    items["bucket"] = buckets(items)
    return items.reset_index(drop=True)


def column_of(name: str) -> str:
    """The column of a key in `mix.groups`: one of COLUMNS, or the predicted class of a question."""
    return name if name in COLUMNS else tables.predicted(name)
