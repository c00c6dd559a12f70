"""The mixture beside plain ones: a proxy learns each and is measured on held-out text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import TYPE_CHECKING, Any

from curate import chance
from curate.evaluate.choosing import Chosen, choose, joined, read_texts
from curate.evaluate.spec import EvaluateSpec
from curate.mixture import drawing
from curate.progress import Advance
from curate.proxies.ngram import Corpus
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard

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
    shards = workspace.documents.shards(mix=True)
    chosen = choose(workspace, shards, spec.train_bytes, spec.holdout_bytes)
    if not chosen.holdout:
        return (), ("no holdout: set `pool: {holdout: .05}` to compare mixtures",)
    train = read_texts(workspace, shards, chosen.training.rows())
    texts = train["text"].to_pylist()
    frame = train.drop_columns(["text"]).to_pandas()
    fraction = frame["tokens"].sum() / max(1, chosen.supply)
    arms = _arms(workspace, frame, fraction)
    with workspace.watch("comparing mixtures", len(arms) * spec.seeds) as advance:
        corpus = Corpus(texts, _holdout(workspace, shards, chosen))
        del train, texts
        results = [_arm(name, draw, frame, corpus, spec, advance) for name, draw in arms.items()]
    return tuple(results), ()


def _holdout(
    workspace: Workspace, shards: Sequence[DocumentShard], chosen: Chosen
) -> dict[str, list[str]]:
    """The texts of the holdout of each source, in the order of their names."""
    rows = joined([first.rows() for first in chosen.holdout.values()])
    table = read_texts(workspace, shards, rows)
    texts: dict[str, list[str]] = {source: [] for source in sorted(chosen.holdout)}
    for source, text in zip(table["source"].to_pylist(), table["text"].to_pylist(), strict=True):
        texts[source].append(text)
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
    name: str,
    draw: Draw,
    train: pd.DataFrame,
    corpus: Corpus,
    spec: EvaluateSpec,
    advance: Advance,
) -> ArmResult:
    losses, sizes = [], []
    for seed in range(spec.seeds):
        copies = draw(seed)
        losses.append(corpus.cross_entropy(copies))
        sizes.append(int((copies * train["tokens"]).sum()))
        advance(1)
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
