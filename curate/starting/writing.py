"""The recipe itself, as YAML with a line about each choice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from curate import yamls

SMALL, MIDDLE = 1_000, 10_000
"""Rows up to which a first round is of 20 texts, and of 100; else it is of 300."""


@dataclass(frozen=True)
class Plan:
    """What a recipe is written from: the sources, what people are asked, how many texts there are.

    `languages` are the primary tags found, the commonest first. `about` says what was found, a
    line each.
    """

    sources: Sequence[dict[str, Any]]
    form: str
    rows: int
    languages: Sequence[str]
    about: Sequence[str]
    is_offline: bool

    @property
    def n(self) -> int:
        """The texts of the first round."""
        first = 20 if self.rows <= SMALL else 100 if self.rows <= MIDDLE else 300
        return max(1, min(first, self.rows // 2))


def recipe(plan: Plan) -> str:
    """A recipe as YAML."""
    backend = "folder" if plan.is_offline else "label_studio"
    holdout = 0.1 if plan.rows <= SMALL else 0.05
    lines = [
        "# Written by `curate init`, from your data:",
        *(f"#   {line}" for line in plan.about),
        "# Every line can be changed; `curate recipe check recipe.yaml` says whether it is right.",
        "pool:",
        "  sources:",
        *(f"    - {yamls.inline(source)}" for source in plan.sources),
        f"  holdout: {holdout}  # kept apart, to measure the mixture on",
        "clean: {rules: [length], near_duplicates: 0.7}",
        f"sample: {{n: {plan.n}, seed: 7}}  # texts that people see in a round",
        f"push: {{backend: {backend}, form: {plan.form}, overlap: 1}}  # answers for each text",
        *_of_quality(plan.form),
        "export: {format: jsonl}",
    ]
    return "\n".join(lines) + "\n"


def _of_quality(form: str) -> Iterable[str]:
    """What is learned, and what the mixture prefers."""
    if form.startswith("sentiment"):
        yield "score: {question: sentiment, quality: {clarity: [negative, positive]}}"
        yield "mix:"
        yield "  groups: [sentiment]"
    elif form == "preference":  # nothing to learn of one document: the labels are the result
        yield "mix:"
        yield "  groups: [source]"
    else:
        yield "score: {question: quality}  # 1 to 5 stars become a quality from 0 to 1"
        yield "mix:"
        yield "  groups: [source]"
    if form != "preference":
        yield "  within: {strategy: softmax, temperature: 0.5}  # better texts first"
    yield "  budget: 50%  # of all tokens; or a number of them, as 20M"
    yield "  max_epochs: 2"
