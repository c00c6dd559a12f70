"""The mixture beside plain ones, each learned by a proxy and tried on held-out text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import TYPE_CHECKING, Any

from curate import chance
from curate.evaluate.spec import EvaluateSpec
from curate.mixture import drawing
from curate.proxies.ngram import Corpus
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

MIXTURE = "mixture"


@dataclass(frozen=True)
class ArmResult:
    """One mixture's cross-entropy on the holdout of each source, nats per byte, over the seeds."""

    arm: str
    tokens: int
    mean: float
    mean_sd: float
    by_source: dict[str, float]
    by_source_sd: dict[str, float]


def compare_arms(
    workspace: Workspace, spec: EvaluateSpec
) -> tuple[tuple[ArmResult, ...], tuple[str, ...]]:
    """Return each arm's cross-entropy by an n-gram model, and why there is none if so.

    Every arm, the mixture's too, is drawn again with seeds of its own, so that noise can be told.
    """
    items = _items(workspace)
    valid = items[items["holdout"]]
    if valid.empty:
        return (), ("no holdout: set `pool: {holdout: .05}` to compare mixtures",)
    train = _capped(items[items["group"].notna()], spec.train_bytes)
    part = train["tokens"].sum() / max(1, items.loc[items["group"].notna(), "tokens"].sum())
    parts = [_capped(rows, spec.holdout_bytes) for _, rows in valid.groupby("source")]
    wanted = {*train["id"], *(id for rows in parts for id in rows["id"])}
    texts = _texts(workspace, wanted)
    holdout = {str(rows["source"].iloc[0]): [texts[id] for id in rows["id"]] for rows in parts}
    corpus = Corpus([texts[id] for id in train["id"]], holdout)
    arms = _arms(workspace, train, part)
    return tuple(_arm(name, draw, train, corpus, spec) for name, draw in arms.items()), ()


def _items(workspace: Workspace) -> pd.DataFrame:
    """Return every kept document with its place in the mixture; the holdout has none."""
    columns = ("id", "source", "tokens", "holdout")
    items: pd.DataFrame = workspace.document_table(columns).to_pandas()
    mix = workspace.read("mix", ["id", "group", "weight"]).to_pandas()
    return items.merge(mix, on="id", how="left")


def _capped(rows: pd.DataFrame, limit: int) -> pd.DataFrame:
    """Return rows drawn by hash until about `limit` bytes, four to a token."""
    import numpy as np

    order = np.argsort(chance.uniform(rows["id"], 0, "proxy"), kind="stable")
    enough = np.cumsum(rows["tokens"].to_numpy()[order]) * 4 <= limit
    enough[:1] = True
    return rows.iloc[np.sort(order[enough])]


def _texts(workspace: Workspace, ids: set[str]) -> dict[str, str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = pa.array(sorted(ids), pa.string())
    found: dict[str, str] = {}
    for table in workspace.documents(("id", "text")):
        chosen = table.filter(pc.is_in(table["id"], wanted))
        found |= dict(zip(*(chosen[name].to_pylist() for name in ("id", "text")), strict=True))
    return found


Draw = Any
"""seed → copies of each training row."""


def _arms(workspace: Workspace, train: pd.DataFrame, part: float) -> dict[str, Draw]:
    import numpy as np

    made = workspace.made("mix")
    copies, noiseless = made.spec["max_epochs"], made.facts["noiseless"]
    promised = workspace.read("groups", ["group", "promised"]).to_pylist()
    sources = train.groupby("source")["tokens"].sum()
    budget = made.facts["budget"] * part
    plain = np.ones(len(train))

    def arm(column: str, shares: Mapping[str, float], weights: Any, *, quiet: bool) -> Draw:
        def draw(seed: int) -> NDArray[np.int64]:
            noise = chance.gumbel(train["id"], seed, "evaluate") * (0.0 if quiet else 1.0)
            tokens = train["tokens"].to_numpy(np.int64)
            drawn = np.zeros(len(train), np.int64)
            for name, rows in train.groupby(column).indices.items():
                most = copies * int(tokens[rows][weights[rows] > 0].sum())
                drawn[rows] = drawing.draw(
                    weights[rows],
                    tokens[rows],
                    min(shares[str(name)] * budget, most),
                    max_copies=copies,
                    noise=noise[rows],
                )
            return drawn

        return draw

    weights = train["weight"].to_numpy(np.float64)
    mixture = {str(row["group"]): float(row["promised"]) for row in promised}
    proportional = {str(k): float(v) for k, v in (sources / sources.sum()).items()}
    uniform = {str(name): 1 / len(sources) for name in sources.index}
    return {
        MIXTURE: arm("group", mixture, weights, quiet=bool(noiseless)),
        "proportional": arm("source", proportional, plain, quiet=False),
        "uniform": arm("source", uniform, plain, quiet=False),
    }


def _arm(
    name: str, draw: Draw, train: pd.DataFrame, corpus: Corpus, spec: EvaluateSpec
) -> ArmResult:
    losses, sizes = [], []
    for seed in range(spec.seeds):
        copies = draw(seed)
        losses.append(corpus.cross_entropy(copies))
        sizes.append(int((copies * train["tokens"]).sum()))
    means = [fmean(loss.values()) for loss in losses]
    by_source = {key: [loss[key] for loss in losses] for key in losses[0]}
    return ArmResult(
        arm=name,
        tokens=round(fmean(sizes)),
        mean=fmean(means),
        mean_sd=pstdev(means),
        by_source={key: fmean(values) for key, values in by_source.items()},
        by_source_sd={key: pstdev(values) for key, values in by_source.items()},
    )
