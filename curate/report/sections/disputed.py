"""The labels that people disagree on most, with their texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from curate.areas import EDGES, area_of_key
from curate.areas import spoken as spoken_area
from curate.records import Kind, span_of_key
from curate.report.pictures import picture_cell
from curate.report.section import Section, say, section
from curate.report.texts import Texts, beginning
from curate.rounding import rounded
from curate.rounds.seen import one_text, seen
from curate.rounds.views import View
from curate.workspace import Workspace

SHOWN = 20

LEAST_SHARE = 0.005
"""Values with less of the probability are not told."""


def disputed(
    workspace: Workspace, rows: Sequence[Mapping[str, Any]], texts: Texts
) -> Section | None:
    """The most disputed labels, with their texts as people saw them; None without any.

    `rows` are those of `most_disputed`.
    """
    kinds = {question.name: question.kind for question in workspace.rounds.questions()}
    views = seen(workspace.rounds.all()) if rows else {}
    shown = [
        picture_cell(texts.pictures, row["id"])
        | _told(row, views.get((row["id"], row["start"], row["end"]), View({})), kinds)
        for row in rows[:SHOWN]
    ]
    return section("disputed", say("disputed.words"), rows=shown) if shown else None


def _told(row: Mapping[str, Any], view: View, kinds: Mapping[str, Kind]) -> dict[str, Any]:
    kind = kinds.get(row["question"])
    said = [
        f"{_spoken(key, kind, view)} {rounded(share, '.2f')}"
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
