"""How each kind of question is settled and its agreement measured: one row a kind.

A kind that is not listed (a comment) has no label.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from curate.agree.truth import spans
from curate.agree.truth.methods import METHODS, Truth, mean_rating
from curate.agree.votes import Vote
from curate.records import Kind, Question

Level = Literal["nominal", "interval"]
"""The level of measurement of Krippendorff's alpha."""


def one_value(votes: Sequence[Vote]) -> list[Vote]:
    """The votes as they are."""
    return list(votes)


def one_set(votes: Sequence[Vote]) -> list[Vote]:
    """The votes with a list of choices as one value: its sorted JSON."""
    return [(item, annotator, json.dumps(sorted(value))) for item, annotator, value in votes]


def by_method(question: Question, votes: Sequence[Vote], method: str) -> Truth:
    """Settle categories by one of the METHODS.

    Answers that the form does not list count too: a tie, or a choice of an older form.
    """
    offered = () if question.kind == "choices" else question.labels
    others = sorted({value for *_, value in votes} - {*offered})
    return METHODS[method](votes, (*offered, *others))


@dataclass(frozen=True)
class Settling:
    """How a kind is settled: `votes` prepares its values for `settle` and for alpha.

    `method` is the only method it has; None leaves the choice to the settings. `level` is that of
    alpha; None means that alpha does not fit.
    """

    settle: Callable[[Question, Sequence[Vote], str], Truth]
    level: Level | None
    method: str | None = None
    votes: Callable[[Sequence[Vote]], list[Vote]] = one_value


KINDS: dict[Kind, Settling] = {
    "choice": Settling(by_method, "nominal"),
    "choices": Settling(by_method, "nominal", votes=one_set),
    "preference": Settling(by_method, "nominal"),
    "rating": Settling(lambda question, votes, method: mean_rating(votes), "interval", "mean"),
    "entities": Settling(
        lambda question, votes, method: spans.majority_spans(votes), None, "majority"
    ),
}
