"""The draw on whole frames in memory, by sorting: what the draw by passes has to equal."""

from __future__ import annotations

import numpy as np
import pandas as pd

from curate import chance, tables
from curate.mix.keys import column_of
from curate.mixture.drawing import draw
from curate.workspace.readers import COLUMNS


def candidates(workspace, groups):
    """Return every document that can be drawn, in pool order, with its group and bucket."""
    columns = ("id", "tokens", "holdout", *COLUMNS)
    items = workspace.documents.table(columns).to_pandas()
    items = items[~items["holdout"] & (items["tokens"] > 0)]
    if workspace.tables.stored("scores"):
        items = items.merge(workspace.tables.read("scores").to_pandas(), on="id", how="left")
    if "quality" not in items.columns:
        items["quality"] = np.nan
    keys = list(map(column_of, groups))
    items[keys] = items[keys].fillna("unknown").astype(str)
    items["group"] = ["/".join(row) for row in items[keys].to_numpy()]
    by_group = items.groupby("group")["quality"]
    items["bucket"] = (5 * (by_group.rank(method="first") - 1)) // by_group.transform("count") + 1
    return items.reset_index(drop=True)


def weights_of(items, strategy, temperature):
    """Return the weight of every candidate, each group by itself."""
    weights = np.zeros(len(items))
    for rows in items.groupby("group").indices.values():
        weights[rows] = _weights(items.iloc[rows], strategy, temperature)
    return weights


def _weights(part, strategy, temperature):
    quality = part["quality"].to_numpy(float)
    if strategy == "equal":
        return np.ones(len(part))
    if strategy == "top_k":
        order = np.lexsort((part["id"].to_numpy(str), -np.nan_to_num(quality, nan=-np.inf)))
        weights = np.empty(len(part))
        weights[order] = 1 / np.arange(1, len(part) + 1)
        return weights
    known = quality[~np.isnan(quality)]
    spread = known.std() if len(known) else 0.0
    z = np.zeros(len(part)) if spread == 0 else np.nan_to_num((quality - known.mean()) / spread)
    z = z / temperature
    return np.exp(np.maximum(z - z.max(initial=0.0), -700.0))


def drawn(items, promised, spec, budget):
    """Return the copies of every candidate, group by group in the order of their names."""
    weights = weights_of(items, spec.within.strategy, spec.within.temperature)
    noise = chance.gumbel(items["id"], spec.seed, "draw")
    if spec.within.strategy == "top_k":
        noise = np.zeros(len(items))
    copies, carry = np.zeros(len(items), np.int64), 0.0
    for group, rows in items.groupby("group", sort=True).indices.items():
        tokens = items["tokens"].iloc[rows].to_numpy(np.int64)
        target = promised[group] * budget
        copies[rows] = draw(
            weights[rows],
            tokens,
            target,
            max_copies=spec.max_epochs,
            noise=noise[rows],
            carry=carry,
        )
        carry += float((copies[rows] * tokens).sum()) - target
    return weights, copies


def expected_shares(items, copies, groups):
    """Return the share of tokens that the probabilities foresee of each group's class."""
    taken = copies * items["tokens"].to_numpy()
    shares = {}
    for group, part in items.groupby("group", sort=True):
        values, mass = part.iloc[0], taken.astype(float)
        for key in groups:
            if key in COLUMNS:
                mass = np.where(items[key] == values[key], mass, 0.0)
            else:
                mass = mass * items[f"{key}:{values[tables.predicted(key)]}"].to_numpy()
        shares[group] = mass.sum() / taken.sum()
    return shares


def frame(table):
    """Return a table as a frame; nulls are NaN."""
    rows: pd.DataFrame = table.to_pandas()
    return rows
