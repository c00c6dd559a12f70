"""Votes: who said what of which task."""

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
    """Return the submitted answers of all rounds but pilots (or of pilots), out of JSON.

    An answer to a window is one to its document; gold items have their answer already. Of each
    (id, question, annotator) the newest round's answer counts.
    """
    kept: dict[tuple[str, str, str], dict[str, Any]] = {}
    for each in workspace.rounds:
        if (each.purpose == "pilot") != pilots:
            continue
        tasks = {row["id"]: row for row in each.sample().to_pylist()}
        for row in submitted(each):
            task = tasks.get(row["id"], {})
            if task.get("kind") == "gold":
                continue
            members = list(task.get("members") or ())
            id = str(members[0]) if len(members) == 1 else row["id"]
            kept[id, row["question"], row["annotator"]] = {**row, "id": id}
    return list(kept.values())


def submitted(each: Round) -> Iterator[dict[str, Any]]:
    """Yield a round's submitted answers, out of JSON."""
    for row in each.answers():
        if row["status"] == "submitted" and row["value"] is not None:
            yield {**row, "value": json.loads(row["value"])}


def occurrences(
    question: Question, answers: Sequence[dict[str, Any]]
) -> Iterator[tuple[Question, list[dict[str, Any]]]]:
    """Yield what answers to a question with several labels say of each: does it occur?"""
    for part, label in zip(question.parts(), question.labels, strict=False):
        yield part, [{**row, "value": _occurs(label, row["value"])} for row in answers]


def _occurs(label: str, value: Sequence[Any]) -> str:
    found = (each["label"] if isinstance(each, dict) else each for each in value)
    return "present" if label in found else "absent"


def takes_many(question: Question) -> bool:
    return question.kind == "choices"
