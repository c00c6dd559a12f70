"""What a comparison reads: texts to train on, held-out texts, and the user's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from curate import chance
from curate.evaluate.choosing import choose, read_training
from curate.evaluate.contaminated import Contaminated, near_copies
from curate.evaluate.files import read_judge_files
from curate.evaluate.heldout import HeldOut, read_held_out
from curate.evaluate.spec import DYNAMIC, EvaluateSpec, JudgeFile
from curate.evaluate.strata import Budget, Shortfall, Texts, rows_by
from curate.evaluate.supply import Supply, count_supply
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

BESIDE = "\0"
"""What begins a name of texts that are no source's; no name of a file or source has it."""

PART = 0.05
"""The part of a group's texts that the arm `dynamic` follows."""


@dataclass(frozen=True)
class Reading:
    """The candidates that a proxy may read, with the budget of an arm, and what it is measured on.

    `files` are the user's texts, by path. `contaminated` counts the texts that are left out on both
    sides. `validation` are texts by group that the arm `dynamic` follows: no candidates, and judged
    by none. `documents` counts the held-out documents of every source that is mixed or held out.
    """

    candidates: list[str]
    texts: Texts
    budget: Budget
    held_out: HeldOut
    files: Mapping[str, list[str]]
    supply: Supply
    contaminated: Contaminated
    validation: Mapping[str, list[str]] = field(default_factory=dict)
    validation_tokens: Mapping[str, float] = field(default_factory=dict)

    @property
    def measured(self) -> dict[str, list[str]]:
        """The texts that the proxy is measured on: by source, by file, and for validation.

        A source may be called as a file or a group is: `BESIDE` keeps them apart.
        """
        return {
            **self.held_out.by_source,
            **{f"{BESIDE}file {path}": texts for path, texts in self.files.items()},
            **{f"{BESIDE}validation {group}": own for group, own in self.validation.items()},
        }

    @property
    def validation_groups(self) -> list[str]:
        """The group of each text that the proxy is measured on; empty for one that is judged."""
        judged = len(self.held_out) + sum(map(len, self.files.values()))
        own = [group for group, texts in self.validation.items() for _ in texts]
        return [""] * judged + own

    @property
    def documents(self) -> dict[str, int]:
        """The held-out documents of every source, by name."""
        by_source = self.held_out.by_source
        sources = sorted({*self.supply.candidates, *by_source})
        return {source: len(by_source.get(source, ())) for source in sources}


def read_texts(workspace: Workspace, spec: EvaluateSpec) -> Reading | bool:
    """Choose and read the texts, in bounded memory.

    Where no text is held out: whether documents without one are, such as pictures.

    Raises RecipeError or DataError for a judge's file that cannot be used, and Shortfall where
    every text of one side has a near copy on the other.
    """
    import numpy as np

    own = [judge for judge in spec.judge if isinstance(judge, JudgeFile)]
    files = read_judge_files(workspace, own, spec.holdout_bytes)
    is_scored = workspace.freshness.fits("scores")
    shards = workspace.documents.shards(mix=True, scores=is_scored)
    supply = count_supply(workspace, shards)
    chosen = choose(workspace, shards, supply.candidates, spec.train_bytes, spec.holdout_bytes)
    if not chosen.holdout:
        return False
    held_out = read_held_out(workspace, shards, chosen, supply.held_out)
    if not len(held_out):
        return any(len(first.rows()) for first in chosen.holdout.values())
    training = read_training(workspace, shards, chosen)
    candidates = training["text"].to_pylist()
    judged = {"": held_out.texts, **files}
    with workspace.watch("looking for copies", len(candidates)) as advance:
        is_copy, has_copy = near_copies(candidates, judged, advance)
    training = training.filter(~is_copy)
    counts = {name: int(own.sum()) for name, own in has_copy.items()}
    held_out, copied = held_out.without(has_copy.pop("")), counts.pop("")
    left = {
        name: [text for text, is_out in zip(files[name], own.tolist(), strict=True) if not is_out]
        for name, own in has_copy.items()
    }
    contaminated = Contaminated(int(is_copy.sum()), copied, counts)
    if not len(held_out) or not training.num_rows:
        raise Shortfall(
            f"{contaminated.words}, and nothing else is left on one side; remove near-duplicates "
            "by `clean: {near_duplicates: .7}`"
        )
    is_validated = (
        for_validation(texts_of(training), training["text"].to_pylist(), spec.holdout_bytes)
        if DYNAMIC in spec.arms
        else np.zeros(training.num_rows, bool)
    )
    validated, training = training.filter(is_validated), training.filter(~is_validated)
    texts = texts_of(training)
    return Reading(
        training["text"].to_pylist(),
        texts,
        budget_of(workspace, texts, supply),
        held_out,
        left,
        supply,
        contaminated,
        *by_group(validated),
    )


def for_validation(texts: Texts, words: Sequence[str], limit: int) -> NDArray[np.bool_]:
    """Which texts are not read, but followed: of each group the first by hash.

    They are up to `PART` of its texts and so many bytes, one at least. A group of one text has
    none.
    """
    import numpy as np

    noise = chance.uniform(texts.ids, 0, "validation")
    is_in = np.zeros(len(texts.ids), bool)
    for rows in rows_by(texts.group).values():
        first = rows[np.argsort(noise[rows])][: max(1, int(PART * len(rows)))]
        sizes = np.cumsum([len(words[row].encode()) for row in first])
        if len(rows) > 1:
            is_in[first[: max(1, int((sizes <= limit).sum()))]] = True
    return is_in


def by_group(table: pa.Table) -> tuple[dict[str, list[str]], dict[str, float]]:
    """The texts and the tokens of each group."""
    columns = (table[name].to_pylist() for name in ("group", "text", "tokens"))
    texts: dict[str, list[str]] = {}
    tokens: dict[str, float] = {}
    for group, text, count in sorted(zip(*columns, strict=True)):
        texts.setdefault(group, []).append(text)
        tokens[group] = tokens.get(group, 0.0) + count
    return texts, tokens


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
