"""How each annotator answered: skill, bias, time, gold."""

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
    """Return, by (annotator, question), the share of gold items that were answered rightly."""
    right: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for each in workspace.rounds:
        known = each.gold()
        for row in submitted(each) if known else ():
            if row["question"] in known.get(row["id"], {}):
                truth = known[row["id"]][row["question"]]
                right[row["annotator"], row["question"]].append(_same(row["value"], truth))
    return {key: sum(flags) / len(flags) for key, flags in right.items()}


def _same(value: Any, truth: Any) -> bool:
    if not (isinstance(value, list) and isinstance(truth, list)):
        return bool(value == truth)
    ordered = [sorted(json.dumps(each, sort_keys=True) for each in one) for one in (value, truth)]
    return ordered[0] == ordered[1]


def annotator_rows(
    question: Question,
    truth: Truth,
    answers: Sequence[dict[str, Any]],
    gold: Mapping[tuple[str, str], float],
) -> list[dict[str, Any]]:
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
