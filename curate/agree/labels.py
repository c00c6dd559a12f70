"""Rows of the table `labels`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from curate.agree.disagreement import disagreement
from curate.agree.kinds import Settled
from curate.agree.truth.sets import ABSENT
from curate.agree.truth.truth import Label
from curate.agree.votes import Shown


def label_rows(settled: Settled) -> list[dict[str, Any]]:
    """The rows of one question: one for each document or comparison.

    Of several views of a document, the whole text counts first, then the window with most answers.
    That a label is absent from a window says nothing of the whole text: there is no row for it.
    """
    shown = {answer.task: answer.shown for answer in settled.answers}
    best: dict[str, Label] = {}
    for label in settled.truth.labels:
        document = shown[label.item].document
        if settled.question.is_part and shown[label.item].window and label.value == ABSENT:
            continue
        if document not in best or _weight(best[document], shown) < _weight(label, shown):
            best[document] = label
    apart = disagreement(settled)
    return [
        _row(settled, label, shown[label.item]) | {"disagreement": apart.get(label.item)}
        for label in best.values()
    ]


def _weight(label: Label, shown: Mapping[str, Shown]) -> tuple[bool, int]:
    return shown[label.item].window is None, label.votes


def _row(settled: Settled, label: Label, shown: Shown) -> dict[str, Any]:
    start, end = shown.window or (None, None)
    return {
        "id": shown.document,
        "question": settled.question.name,
        "value": None if label.undecided else json.dumps(label.value, ensure_ascii=False),
        "posterior": [*label.posterior.items()],
        "confidence": label.confidence,
        "votes": label.votes,
        "agreement": label.agreement,
        "method": settled.truth.method,
        "undecided": label.undecided,
        "start": start,
        "end": end,
    }
