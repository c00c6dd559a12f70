"""Votes: which annotator gave which answer to which task."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from curate.records import Question
from curate.rounds import Round
from curate.workspace import Workspace

Vote = tuple[str, str, Any]
"""(item, annotator, value)."""


def collect(workspace: Workspace, *, pilots: bool = False) -> list[dict[str, Any]]:
    """Return the submitted answers of all rounds but pilots (or of pilots only), values decoded.

    An answer to a window counts as one to its document. Answers to gold items are left out. For
    each (id, question, annotator) the newest round's answer counts.
    """
    newest: dict[tuple[str, str, str], dict[str, Any]] = {}
    for round_ in workspace.rounds.all():
        if (round_.purpose == "pilot") != pilots:
            continue
        tasks = {row["id"]: row for row in round_.sample().to_pylist()}
        for row in submitted(round_):
            task = tasks.get(row["id"], {})
            if task.get("kind") == "gold":
                continue
            members = list(task.get("members") or ())
            id = str(members[0]) if len(members) == 1 else row["id"]
            newest[id, row["question"], row["annotator"]] = {**row, "id": id}
    return list(newest.values())


def submitted(round_: Round) -> Iterator[dict[str, Any]]:
    """Yield a round's submitted answers that are not null, with their values decoded from JSON."""
    for row in round_.answers():
        if row["status"] == "submitted" and row["value"] is not None:
            yield {**row, "value": json.loads(row["value"])}


def occurrences(
    question: Question, answers: Sequence[dict[str, Any]]
) -> Iterator[tuple[Question, list[dict[str, Any]]]]:
    """Yield, for each label of `question`, the question whether it occurs, and its answers.

    These answers are `present` or `absent`.
    """
    for part, label in zip(question.parts(), question.labels, strict=False):
        yield part, [{**row, "value": _occurs(label, row["value"])} for row in answers]


def _occurs(label: str, value: Sequence[Any]) -> str:
    labels = (entry["label"] if isinstance(entry, dict) else entry for entry in value)
    return "present" if label in labels else "absent"
