"""Texts that were answered before and are sent again on purpose."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from curate.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd


def answered_before(workspace: Workspace, wanted: str) -> pd.DataFrame:
    """Return the tasks answered before that have a label, a guideline or an annotator.

    Of several tasks about the same documents the newest counts: `place` says what it showed.
    """
    import pandas as pd

    what, _, value = wanted.partition("=")
    kept = workspace.document_table(["id", "holdout"]).to_pylist()
    there = {row["id"] for row in kept if not row["holdout"]}
    labelled = _labelled(workspace, value) if what == "label" else set()
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for each in workspace.rounds:
        tasks = {row["id"]: row for row in each.sample().to_pylist() if row["kind"] != "gold"}
        for answer in each.answers():
            task = tasks.get(answer["id"])
            if task is None or answer["status"] != "submitted":
                continue
            documents = tuple(sorted(task["members"] or (task["id"],)))
            asked = {
                "label": bool({*documents, task["id"]} & labelled),
                "guideline": str(answer["guideline"] or "").startswith(value),
                "annotator": answer["annotator"] == value,
            }
            if asked[what] and there.issuperset(documents):
                found[documents] = {key: task[key] for key in ("id", "members", "start", "end")}
    places = pd.Series([found[documents] for documents in sorted(found)], dtype=object)
    return pd.DataFrame({"place": places, "stratum": wanted})


def _labelled(workspace: Workspace, value: str) -> set[str]:
    """Return the ids that have a label: a choice, one of several, a span's, or a rating."""
    workspace.require("labels")
    rows = workspace.read("labels").to_pylist()
    return {row["id"] for row in rows if _holds(json.loads(row["value"]), value)}


def _holds(label: Any, value: str) -> bool:
    if isinstance(label, list):
        return any(_holds(each, value) for each in label)
    if isinstance(label, dict):
        return bool(label["label"] == value)
    return value in (label, str(label), f"{label:g}" if isinstance(label, float) else None)
