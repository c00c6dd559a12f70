"""Rows of the table `annotators`: skill, bias, time and gold items of each annotator."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from curate.agree.truth.methods import Truth
from curate.agree.votes import submitted
from curate.records import Question
from curate.workspace import Workspace


def gold_shares(workspace: Workspace) -> dict[tuple[str, str], float]:
    """Return the share of gold items answered correctly, by (annotator, question)."""
    correct: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for round_ in workspace.rounds.all():
        gold = round_.gold()
        for row in submitted(round_) if gold else ():
            if row["question"] in gold.get(row["id"], {}):
                expected = gold[row["id"]][row["question"]]
                correct[row["annotator"], row["question"]].append(_same(row["value"], expected))
    return {key: sum(flags) / len(flags) for key, flags in correct.items()}


def _same(value: Any, expected: Any) -> bool:
    """Whether two answers are equal; the order of a list does not count."""
    if not (isinstance(value, list) and isinstance(expected, list)):
        return bool(value == expected)
    ordered = [
        sorted(json.dumps(entry, sort_keys=True) for entry in answer)
        for answer in (value, expected)
    ]
    return ordered[0] == ordered[1]


def annotator_rows(
    question: Question,
    truth: Truth,
    answers: Sequence[dict[str, Any]],
    gold: Mapping[tuple[str, str], float],
) -> list[dict[str, Any]]:
    """Return the rows of one question, in the order of the annotators' names.

    `answers` are all answers to it; `gold` are the shares by (annotator, question).
    """
    seconds: dict[str, list[float]] = defaultdict(list)
    counts: dict[str, int] = defaultdict(int)
    for row in answers:
        counts[row["annotator"]] += 1
        if row["seconds"] is not None:
            seconds[row["annotator"]].append(row["seconds"])
    return [
        {
            "annotator": annotator,
            "question": question.name,
            "answers": counts[annotator],
            "skill": truth.skill.get(annotator),
            "bias": truth.bias.get(annotator),
            "seconds": median(seconds[annotator]) if seconds[annotator] else None,
            "gold_right": gold.get((annotator, question.name)),
        }
        for annotator in sorted(counts)
    ]
