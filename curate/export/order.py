"""The draw and its shuffled order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curate import chance
from curate.errors import DataError
from curate.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd


def shuffled(draw: pd.DataFrame, seed: int) -> list[tuple[str, int]]:
    """The (id, copy number from 1) of every line, in the order of hash(id, copy, seed)."""
    import numpy as np

    drawn = draw[draw["copies"] > 0]
    pairs = [
        (id, copy)
        for id, copies in zip(drawn["id"], drawn["copies"], strict=True)
        for copy in range(1, copies + 1)
    ]
    noise = chance.uniform((f"{id} {copy}" for id, copy in pairs), seed, "shuffle")
    return [pairs[index] for index in np.argsort(noise, kind="stable")]


def read_draw(workspace: Workspace) -> pd.DataFrame:
    """Every candidate of the mixture by id, with its source, tokens and quality (NaN: none).

    Raises DataError where `clean` no longer keeps one of them.
    """
    mix = workspace.tables.read("mix").to_pandas()
    tokens = workspace.documents.table(("id", "source", "tokens")).to_pandas()
    draw: pd.DataFrame = mix.merge(tokens, on="id", validate="one_to_one")
    if len(draw) < len(mix):
        raise DataError("the mixture is not of what `clean` keeps", hint="run `curate mix` again")
    if workspace.tables.stored("scores"):
        quality = workspace.tables.read("scores", ["id", "quality"]).to_pandas()
        draw = draw.merge(quality, on="id", how="left")
    else:
        draw["quality"] = float("nan")
    return draw.set_index("id", drop=False)
