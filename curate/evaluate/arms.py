"""The mixture beside plain ones: a proxy learns each and is measured on held-out text."""

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
    """The cross-entropy of one mixture on the holdout of each source, in nats per byte.

    Each figure is the mean over the seeds; `sd` is the population standard deviation over them.
    """

    arm: str
    tokens: int
    mean: float
    mean_sd: float
    by_source: dict[str, float]
    by_source_sd: dict[str, float]


def compare_arms(
    workspace: Workspace, spec: EvaluateSpec
) -> tuple[tuple[ArmResult, ...], tuple[str, ...]]:
    """The result of each arm by an n-gram model, and notes that say why there is none.

    Every arm, the mixture's too, is drawn again for each seed: the spread shows the noise.
    """
    items = _items(workspace)
    valid = items[items["holdout"]]
    if valid.empty:
        return (), ("no holdout: set `pool: {holdout: .05}` to compare mixtures",)
    train = _capped(items[items["group"].notna()], spec.train_bytes)
    fraction = train["tokens"].sum() / max(1, items.loc[items["group"].notna(), "tokens"].sum())
    parts = [_capped(rows, spec.holdout_bytes) for _, rows in valid.groupby("source")]
    ids = {*train["id"], *(id for rows in parts for id in rows["id"])}
    texts = _texts(workspace, ids)
    holdout = {str(rows["source"].iloc[0]): [texts[id] for id in rows["id"]] for rows in parts}
    corpus = Corpus([texts[id] for id in train["id"]], holdout)
    arms = _arms(workspace, train, fraction)
    return tuple(_arm(name, draw, train, corpus, spec) for name, draw in arms.items()), ()


def _items(workspace: Workspace) -> pd.DataFrame:
    """Every kept document with its group and weight in the mixture; the holdout has none."""
    columns = ("id", "source", "tokens", "holdout")
    items: pd.DataFrame = workspace.documents.table(columns).to_pandas()
    mix = workspace.tables.read("mix", ["id", "group", "weight"]).to_pandas()
    return items.merge(mix, on="id", how="left")


def _capped(rows: pd.DataFrame, limit: int) -> pd.DataFrame:
    """Rows drawn by hash up to `limit` bytes, at four bytes a token; at least one row."""
    import numpy as np

    order = np.argsort(chance.uniform(rows["id"], 0, "proxy"), kind="stable")
    fits = np.cumsum(rows["tokens"].to_numpy()[order]) * 4 <= limit
    fits[:1] = True
    return rows.iloc[np.sort(order[fits])]


def _texts(workspace: Workspace, ids: set[str]) -> dict[str, str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    chosen = pa.array(sorted(ids), pa.string())
    texts: dict[str, str] = {}
    for table in workspace.documents.batches(("id", "text")):
        rows = table.filter(pc.is_in(table["id"], chosen))
        texts |= dict(zip(*(rows[name].to_pylist() for name in ("id", "text")), strict=True))
    return texts


Draw = Any
"""A function from a seed to the copies of each training row."""


def _arms(workspace: Workspace, train: pd.DataFrame, fraction: float) -> dict[str, Draw]:
    """The draw of each arm, by name; the budget is the mixture's times `fraction`."""
    import numpy as np

    mix = workspace.tables.made("mix")
    max_copies = mix.spec["max_epochs"]
    promised = workspace.tables.read("groups", ["group", "promised"]).to_pylist()
    sources = train.groupby("source")["tokens"].sum()
    budget = mix.facts["budget"] * fraction
    plain = np.ones(len(train))

    def arm(column: str, shares: Mapping[str, float], weights: Any, *, noiseless: bool) -> Draw:
        def draw(seed: int) -> NDArray[np.int64]:
            noise = chance.gumbel(train["id"], seed, "evaluate") * (0.0 if noiseless else 1.0)
            tokens = train["tokens"].to_numpy(np.int64)
            copies = np.zeros(len(train), np.int64)
            for name, rows in train.groupby(column).indices.items():
                most = max_copies * int(tokens[rows][weights[rows] > 0].sum())
                copies[rows] = drawing.draw(
                    weights[rows],
                    tokens[rows],
                    min(shares[str(name)] * budget, most),
                    max_copies=max_copies,
                    noise=noise[rows],
                )
            return copies

        return draw

    weights = train["weight"].to_numpy(np.float64)
    mixture = {str(row["group"]): float(row["promised"]) for row in promised}
    proportional = {str(name): float(share) for name, share in (sources / sources.sum()).items()}
    uniform = {str(name): 1 / len(sources) for name in sources.index}
    return {
        MIXTURE: arm("group", mixture, weights, noiseless=bool(mix.facts["noiseless"])),
        "proportional": arm("source", proportional, plain, noiseless=False),
        "uniform": arm("source", uniform, plain, noiseless=False),
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
