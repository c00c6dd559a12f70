"""What a comparison reads: texts to train on, held-out texts, and the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.evaluate.choosing import choose, read_training
from curate.evaluate.files import read_judge_files
from curate.evaluate.heldout import HeldOut, read_held_out
from curate.evaluate.spec import EvaluateSpec, JudgeFile
from curate.evaluate.strata import Budget, Texts
from curate.evaluate.supply import Supply, count_supply
from curate.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Reading:
    """The candidates that a proxy may read, with the budget of an arm, and what it is measured on.

    `files` are the user's texts, by path. `documents` counts the held-out documents of every source
    that is mixed or held out.
    """

    candidates: list[str]
    texts: Texts
    budget: Budget
    held_out: HeldOut
    files: Mapping[str, list[str]]
    supply: Supply
    notes: tuple[str, ...] = ()

    @property
    def measured(self) -> dict[str, list[str]]:
        """The texts that the proxy is measured on: by source, then by file."""
        return {
            **self.held_out.by_source,
            **{f"file {path}": texts for path, texts in self.files.items()},
        }

    @property
    def documents(self) -> dict[str, int]:
        """The held-out documents of every source, by name."""
        by_source = self.held_out.by_source
        sources = sorted({*self.supply.candidates, *by_source})
        return {source: len(by_source.get(source, ())) for source in sources}


def read_texts(workspace: Workspace, spec: EvaluateSpec) -> Reading | None:
    """Choose and read the texts, in bounded memory; None where no text is held out.

    Raises RecipeError or DataError for a judge's file that cannot be used.
    """
    own = [judge for judge in spec.judge if isinstance(judge, JudgeFile)]
    files = read_judge_files(workspace, own, spec.holdout_bytes)
    is_scored = workspace.freshness.fits("scores")
    shards = workspace.documents.shards(mix=True, scores=is_scored)
    supply = count_supply(workspace, shards)
    candidates = supply.candidates
    chosen = choose(workspace, shards, candidates, spec.train_bytes, spec.holdout_bytes)
    if not chosen.holdout:
        return None
    held_out = read_held_out(workspace, shards, chosen, supply.held_out)
    if not len(held_out):
        return None
    training = read_training(workspace, shards, chosen)
    texts = texts_of(training)
    budget = budget_of(workspace, texts, supply)
    return Reading(training["text"].to_pylist(), texts, budget, held_out, files, supply)


def texts_of(training: pa.Table) -> Texts:
    """The candidates as arms are drawn from them."""
    import numpy as np

    return Texts(
        ids=training["id"].to_pylist(),
        source=training["source"].to_numpy().astype(str),
        group=training["group"].to_numpy().astype(str),
        tokens=training["tokens"].to_numpy().astype(np.int64),
        weight=training["weight"].to_numpy().astype(np.float64),
        factor=training["factor"].to_numpy().astype(np.float64),
        epochs=training["max_epochs"].to_numpy().astype(np.int64),
    )


def budget_of(workspace: Workspace, texts: Texts, supply: Supply) -> Budget:
    """The budget of the mixture (of its first phase), in proportion to the texts that are read.

    It is counted as the pool counts, whatever the tokenizer of `mix`.
    """
    import pyarrow.compute as pc

    mix = workspace.tables.made("mix")
    part = int(texts.tokens.sum()) / supply.candidates.total()
    phases = mix.facts.get("phases") or [{"budget": mix.facts["budget"]}]
    drawn = workspace.tables.read("groups", ["tokens", "pool_tokens"])
    counted, by_pool = (pc.sum(drawn[name]).as_py() or 1 for name in ("tokens", "pool_tokens"))
    return Budget(phases[0]["budget"] * part * (by_pool / counted), mix.spec["max_epochs"])
