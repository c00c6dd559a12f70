"""How each kind of question is settled and its agreement measured: one row a kind.

A kind that is not listed (a comment) has no label.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from curate.agree.truth import comparisons, sets, spans
from curate.agree.truth.areas import Areas
from curate.agree.truth.ratings import mean_rating
from curate.agree.truth.settling import settle
from curate.agree.truth.truth import Truth, Vote, Votes
from curate.agree.votes import Answer, occurrences
from curate.forms.reading import TIE
from curate.records import MARKS, Kind, Question

Level = Literal["nominal", "interval"]
"""The level of measurement of Krippendorff's alpha."""

Answers = Sequence[Answer]


@dataclass(frozen=True)
class Settled:
    """A question with its answers, its truth, and the votes that its agreement is measured on.

    `level` is that of alpha; None means that alpha does not fit.
    """

    question: Question
    answers: Answers
    truth: Truth
    votes: Votes
    level: Level | None


def settled(question: Question, answers: Answers, method: str) -> list[Settled]:
    """The question settled, and after it, for each of its labels, whether it occurs."""
    parts = {
        label: KINDS[part.kind](part, own, method)
        for label, part, own in occurrences(question, answers)
    }
    if question.kind == "choices":
        truth = sets.united(_votes(answers), {label: own.truth for label, own in parts.items()})
        votes = [
            (task, who, json.dumps(sorted(value), ensure_ascii=False))
            for task, who, value in _votes(answers)
        ]
        return [Settled(question, answers, truth, votes, "nominal"), *parts.values()]
    return [KINDS[question.kind](question, answers, method), *parts.values()]


def _votes(answers: Answers) -> list[Vote]:
    return [(answer.task, answer.annotator, answer.value) for answer in answers]


def _choice(question: Question, answers: Answers, method: str) -> Settled:
    votes = _votes(answers)
    truth = settle(votes, method, question.labels)
    return Settled(question, answers, truth, votes, "nominal")


def _preference(question: Question, answers: Answers, method: str) -> Settled:
    fields = tuple(sorted(label for label in question.labels if label != TIE))
    pairs = {answer.task: tuple(sorted(answer.shown.members)) for answer in answers}
    sides = {task: pair if len(pair) == 2 else fields for task, pair in pairs.items()}
    votes = comparisons.by_place(_votes(answers), sides)
    offered = (*comparisons.PLACES, *(TIE for label in question.labels if label == TIE))
    truth = comparisons.by_side(settle(votes, method, offered), sides)
    return Settled(question, answers, truth, votes, "nominal")


def _rating(question: Question, answers: Answers, method: str) -> Settled:
    votes = _votes(answers)
    return Settled(question, answers, mean_rating(votes), votes, "interval")


def _marks(question: Question, answers: Answers, method: str) -> Settled:
    votes = _votes(answers)
    truth = spans.majority(votes, question.fields[0], shape_of(question.kind))
    return Settled(question, answers, truth, votes, None)


def shape_of(kind: Kind) -> spans.Shape:
    """How the marks of a kind are compared and united."""
    return spans.Spans() if kind == "entities" else Areas(kind)


KINDS: dict[Kind, Callable[[Question, Answers, str], Settled]] = {
    "choice": _choice,
    "preference": _preference,
    "rating": _rating,
    **dict.fromkeys(MARKS, _marks),
}
"""How a kind is settled by itself. Of `choices` each label is settled."""

SETTLED = (*KINDS, "choices")
"""The kinds that have labels."""
