"""The labels that heads and neighbours contradict, with their texts."""

from __future__ import annotations

import json

from curate.report.pictures import picture_cell, pictures_of
from curate.report.section import Section, section
from curate.rounds.views import View, contested
from curate.workspace import Workspace

SHOWN = 20
LETTERS = 160
"""So many characters of a text are shown."""


def doubtful(workspace: Workspace) -> Section | None:
    """The most doubtful labels; None without any."""
    if not workspace.tables.stored("doubtful"):
        return None
    rows = workspace.tables.read("doubtful").sort_by("rank").slice(0, SHOWN).to_pylist()
    texts = {
        document["id"]: document["text"]
        for table in workspace.documents.lookup((row["id"] for row in rows), ["id", "text"])
        for document in table.to_pylist()
    }
    views = workspace.documents.find_views(row["id"] for row in rows)
    pictures = pictures_of(workspace, [row["id"] for row in rows])
    shown = [
        {
            **picture_cell(pictures, row["id"]),
            "text": beginning(texts[row["id"]]),
            "question": row["question"],
            "label": _spoken(row["value"], row["predicted"], views[row["id"]]),
            "foreseen": _spoken(row["predicted"], row["value"], views[row["id"]]),
            "doubt": row["doubt"],
            "why": row["why"] or None,
            "id": row["id"],
        }
        for row in rows
        if row["id"] in texts
    ]
    words = (
        "These labels fit least to what heads that never saw them foresee, and to the labels of "
        "similar texts. A doubt above .5 says that another value is more probable; of several "
        "labels, and of the words of a text, the worst counts most. "
        "`curate sample --relabel doubtful` sends the first of them to people again."
    )
    return section("Doubtful labels", words, rows=shown) if shown else None


def beginning(text: str) -> str:
    """The beginning of a text, as one line."""
    line = " ".join(text.split())
    return line if len(line) <= LETTERS else f"{line[:LETTERS]}…"


def _spoken(value: str | None, other: str | None, view: View) -> str | None:
    """A value as people gave it, from its JSON; of spans those that the other value has not."""
    spoken = None if value is None else json.loads(value)
    besides = None if other is None else json.loads(other)
    if not isinstance(spoken, list) or not isinstance(besides, list):
        return spoken
    if any(isinstance(entry, dict) for entry in (*spoken, *besides)):
        spoken = view.spoken(contested(spoken, besides))
    return ", ".join(map(str, spoken))
