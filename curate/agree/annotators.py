"""Rows of the table `annotators`: skill, bias, time and gold items of each annotator."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from statistics import median
from typing import Any

from curate.agree.kinds import Settled, shape_of
from curate.agree.votes import submitted, trimmed
from curate.records import MARKS, Question
from curate.workspace import Workspace


def gold_shares(workspace: Workspace) -> dict[tuple[str, str], float]:
    """Return the share of gold items answered correctly, by (annotator, question)."""
    correct: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for round_ in workspace.rounds.all():
        gold = round_.gold()
        views = round_.views() if gold else {}
        for row in submitted(round_) if gold else ():
            expected = gold.get(row["id"], {}).get(row["question"])
            if expected is not None:
                question = round_.form.question(row["question"])
                said, known = (
                    trimmed(question, value, views.get(row["id"]))
                    for value in (row["value"], expected)
                )
                correct[row["annotator"], row["question"]].append(is_same(question, said, known))
    return {key: sum(flags) / len(flags) for key, flags in correct.items()}


def is_same(question: Question, one: Any, other: Any) -> bool:
    """Whether two answers are the same, however they were written.

    The order of a list does not count. A mark that names no field is in the question's first.
    """
    if question.kind in MARKS:
        shape = shape_of(question.kind)
        return shape.are_same(*(shape.keys(value, question.fields[0]) for value in (one, other)))
    return bool(sorted(one) == sorted(other) if question.kind == "choices" else one == other)


def annotator_rows(settled: Settled, gold: Mapping[tuple[str, str], float]) -> list[dict[str, Any]]:
    """Return the rows of one question, in the order of the annotators' names.

    `gold` are the shares by (annotator, question). Who has answered gold items alone has a row too.
    """
    seconds: dict[str, list[float]] = defaultdict(list)
    counts = Counter(answer.annotator for answer in settled.answers)
    for answer in settled.answers:
        if answer.seconds is not None:
            seconds[answer.annotator].append(answer.seconds)
    rows = []
    judged = {annotator for annotator, question in gold if question == settled.question.name}
    for annotator in sorted({*counts, *judged}):
        skill = settled.truth.skill.get(annotator)
        rows.append(
            {
                "annotator": annotator,
                "question": settled.question.name,
                "answers": counts[annotator],
                "skill": skill and skill.value,
                "skill_low": skill and skill.low,
                "skill_high": skill and skill.high,
                "bias": settled.truth.bias.get(annotator),
                "seconds": median(seconds[annotator]) if seconds[annotator] else None,
                "gold_right": gold.get((annotator, settled.question.name)),
            }
        )
    return rows
