"""The labels that people disagree on most, with their texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curate.annotated.disputes import disputed as most_disputed
from curate.areas import EDGES, area_of_key
from curate.areas import spoken as spoken_area
from curate.records import Kind, span_of_key
from curate.report.pictures import picture_cell, pictures_of
from curate.report.section import Section, section
from curate.report.sections.doubtful import SHOWN, beginning
from curate.rounds.seen import one_text, seen
from curate.rounds.views import View
from curate.workspace import Workspace

LEAST_SHARE = 0.005
"""Values with less of the probability are not told."""


def disputed(workspace: Workspace) -> Section | None:
    """The most disputed labels, with their texts as people saw them; None without any."""
    if not workspace.tables.stored("labels"):
        return None
    kinds = {question.name: question.kind for question in workspace.rounds.questions()}
    rows = most_disputed(workspace)[:SHOWN]
    views = seen(workspace.rounds.all()) if rows else {}
    pictures = pictures_of(workspace, [row["id"] for row in rows])
    shown = [
        picture_cell(pictures, row["id"])
        | _told(row, views.get((row["id"], row["start"], row["end"]), View({})), kinds)
        for row in rows
    ]
    words = (
        "People disagree on these labels most: the mean distance of two answers is 1 where all "
        "differ fully. `curate labels --disputed 20` says who said what, and "
        "`curate sample --relabel disputed` sends the first of them to people again."
    )
    return section("Disputed labels", words, rows=shown) if shown else None


def _told(row: Mapping[str, Any], view: View, kinds: Mapping[str, Kind]) -> dict[str, Any]:
    kind = kinds.get(row["question"])
    said = [
        f"{_spoken(key, kind, view)} {share:.2f}"
        for key, share in row["posterior"]
        if share >= LEAST_SHARE
    ]
    return {
        "text": beginning(one_text(view.fields)),
        "question": row["question"],
        "said": ", ".join(said),
        "answers": row["votes"],
        "disagreement": row["disagreement"],
        "undecided": row["undecided"],
        "id": row["id"],
    }


def _spoken(key: str, kind: Kind | None, view: View) -> str:
    """A value of a posterior as a person reads it: a span with its words."""
    if kind == "preference":
        return str(view.shown(key, "preference"))
    if kind is not None and kind in EDGES:
        return spoken_area(kind, area_of_key(kind, key))
    return next(iter(view.spoken([span_of_key(key)])), key) if kind == "entities" else key
