"""How far two people's answers to one question differ, on average: 0 to 1."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from itertools import combinations
from statistics import fmean
from typing import Any

from curate.agree.kinds import Settled
from curate.agree.truth.marks import f1
from curate.records import MARKS, Kind, Question

Distance = Callable[[Question, Any, Any], float]


def _unequal(question: Question, one: Any, other: Any) -> float:
    return float(one != other)


def _sets(question: Question, one: Any, other: Any) -> float:
    return 1 - f1(frozenset(one), frozenset(other))


def _ratings(question: Question, one: Any, other: Any) -> float:
    return min(abs(float(one) - float(other)) / max(len(question.labels) - 1, 1), 1.0)


DISTANCES: Mapping[Kind, Distance] = {
    "choice": _unequal,
    "preference": _unequal,
    "choices": _sets,
    "rating": _ratings,
}
"""How far two answers differ: of sets by their F1, of ratings as a part of the scale."""


def disagreement(settled: Settled) -> dict[str, float]:
    """The mean distance of two people's answers, by task; tasks with one answer are left out.

    Of marks it is what is missing to 1 of their F1, by the rule that unites them.
    """
    if settled.question.kind in MARKS:
        labels = settled.truth.labels
        return {label.item: 1 - label.agreement for label in labels if label.votes > 1}
    distance = DISTANCES[settled.question.kind]
    values: dict[str, list[Any]] = defaultdict(list)
    for answer in settled.answers:
        values[answer.task].append(answer.value)
    return {
        task: fmean(distance(settled.question, *pair) for pair in combinations(own, 2))
        for task, own in values.items()
        if len(own) > 1
    }
