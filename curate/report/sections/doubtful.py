"""The labels that heads and neighbours contradict, with their texts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from curate.report.pictures import picture_cell
from curate.report.section import Key, Section, say, section
from curate.report.texts import Texts
from curate.rounds.views import View, contested
from curate.workspace import Workspace

SHOWN = 20


def most_doubtful(workspace: Workspace) -> list[dict[str, Any]]:
    """The rows of the most doubtful labels, the most doubtful first."""
    if not workspace.tables.stored("doubtful"):
        return []
    return list(workspace.tables.read("doubtful").sort_by("rank").slice(0, SHOWN).to_pylist())


def doubtful(
    workspace: Workspace, rows: Sequence[Mapping[str, Any]], texts: Texts
) -> Section | None:
    """The most doubtful labels; None without any. `rows` are those of `most_doubtful`."""
    views = workspace.documents.find_views(row["id"] for row in rows) if rows else {}
    shown = [
        {
            **picture_cell(texts.pictures, row["id"]),
            "text": texts.beginnings[row["id"]],
            "question": row["question"],
            "label": _spoken(row["value"], row["predicted"], views[row["id"]]),
            "foreseen": _spoken(row["predicted"], row["value"], views[row["id"]]),
            "doubt": row["doubt"],
            "why": Key(row["why"]) if row["why"] else None,
            "id": row["id"],
        }
        for row in rows
        if row["id"] in texts and row["id"] in views
    ]
    return section("doubtful", say("doubtful.words"), rows=shown) if shown else None


def _spoken(value: str | None, other: str | None, view: View) -> Any:
    """A value as people gave it, from its JSON; of spans those that the other value has not."""
    spoken = None if value is None else json.loads(value)
    besides = None if other is None else json.loads(other)
    if isinstance(spoken, float) and spoken.is_integer():
        return int(spoken)
    if not isinstance(spoken, list) or not isinstance(besides, list):
        return spoken
    if any(isinstance(entry, dict) for entry in (*spoken, *besides)):
        spoken = view.spoken(contested(spoken, besides))
    return ", ".join(map(str, spoken))
