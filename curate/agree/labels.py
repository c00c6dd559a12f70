"""Rows of the table `labels`."""

from __future__ import annotations

import json
from typing import Any

from curate.agree.truth.methods import Truth
from curate.records import Question


def label_rows(question: Question, truth: Truth) -> list[dict[str, Any]]:
    """Return the rows of one question: one for each item; what is undecided has no value."""
    decode = json.loads if question.kind == "choices" else (lambda value: value)
    return [
        {
            "id": label.item,
            "question": question.name,
            "value": None
            if label.undecided
            else json.dumps(decode(label.value), ensure_ascii=False),
            "posterior": [*label.posterior.items()],
            "confidence": label.confidence,
            "votes": label.votes,
            "agreement": label.agreement,
            "method": truth.method,
            "undecided": label.undecided,
        }
        for label in truth.labels
    ]
