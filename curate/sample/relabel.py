"""Tasks that were answered before and are sent again on purpose."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from curate import chance
from curate.annotated.disputes import disputed
from curate.sample.spec import DISPUTED, DOUBTFUL, RANKED
from curate.workspace import Workspace


def answered_before(workspace: Workspace, condition: str) -> list[dict[str, Any]]:
    """The answered tasks that meet `label=…`, `guideline=…`, `annotator=…`, or one of RANKED.

    Each has id, members and window. Of several tasks about the same documents the newest counts.
    Documents that are no longer kept, or are held out, are left out. Doubtful and disputed ones
    come in their order, and have their `rank`. Raises MissingInput if the table of labels, or of
    doubtful labels, is needed and missing.
    """
    attribute, _, value = condition.partition("=")
    labelled = _labelled(workspace, value) if attribute == "label" else set()
    ranks = RANKS[attribute](workspace) if attribute in RANKED else {}
    newest: dict[tuple[str, ...], dict[str, Any]] = {}
    for round_ in workspace.rounds.all():
        tasks = {row["id"]: row for row in round_.sample().to_pylist() if row["kind"] != "gold"}
        for answer in round_.answers():
            task = tasks.get(answer["id"])
            if task is None or answer["status"] != "submitted":
                continue
            documents = tuple(sorted(task["members"] or (task["id"],)))
            meets = {
                "label": bool({*documents, task["id"]} & labelled),
                "guideline": str(answer["guideline"] or "").startswith(value),
                "annotator": answer["annotator"] == value,
                **dict.fromkeys(RANKED, any(id in ranks for id in (*documents, task["id"]))),
            }
            if meets[attribute]:
                newest[documents] = {key: task[key] for key in ("id", "members", "start", "end")}
    available = _available(workspace, {id for documents in newest for id in documents})
    kept = [documents for documents in sorted(newest) if available.issuperset(documents)]
    if attribute not in RANKED:
        return [newest[documents] for documents in kept]
    best = {
        documents: min(ranks[id] for id in (*documents, newest[documents]["id"]) if id in ranks)
        for documents in kept
    }
    return [
        {**newest[documents], "rank": best[documents]}
        for documents in sorted(best, key=best.__getitem__)
    ]


def first(tasks: Sequence[dict[str, Any]], n: int, seed: int, purpose: str) -> list[dict[str, Any]]:
    """The first n of tasks with a rank, or n at random of others."""
    if any("rank" in task for task in tasks):
        return [{key: task[key] for key in task if key != "rank"} for task in tasks[:n]]
    noise = chance.uniform([task["id"] for task in tasks], seed, purpose)
    return [tasks[place] for place in noise.argsort(kind="stable")[:n]]


def _doubtful(workspace: Workspace) -> dict[str, int]:
    """The best rank of each document among the doubtful labels, whatever the question."""
    workspace.tables.require("doubtful")
    rows = workspace.tables.read("doubtful", ["id", "rank"]).to_pylist()
    return {row["id"]: row["rank"] for row in sorted(rows, key=lambda row: -row["rank"])}


def _disputed(workspace: Workspace) -> dict[str, int]:
    """The best rank of each disputed document or comparison, whatever the question."""
    ranks: dict[str, int] = {}
    for rank, row in enumerate(disputed(workspace)):
        ranks.setdefault(row["id"], rank)
    return ranks


RANKS = {DOUBTFUL: _doubtful, DISPUTED: _disputed}
"""The rank of documents by each condition of RANKED."""


def _available(workspace: Workspace, ids: set[str]) -> set[str]:
    """Those of the documents that are kept and not held out."""
    import pyarrow.compute as pc

    return {
        id
        for table in workspace.documents.lookup(ids, ["id", "holdout"])
        for id in table.filter(pc.invert(table["holdout"]))["id"].to_pylist()
    }


def _labelled(workspace: Workspace, value: str) -> set[str]:
    """The ids whose label holds `value`: as choice, as rating, or as label of a span.

    An undecided label holds none.
    """
    workspace.tables.require("labels")
    rows = workspace.tables.read("labels", ["id", "value"]).drop_null().to_pylist()
    return {row["id"] for row in rows if _holds(json.loads(row["value"]), value)}


def _holds(label: Any, value: str) -> bool:
    if isinstance(label, list):
        return any(_holds(part, value) for part in label)
    if isinstance(label, dict):
        return bool(label["label"] == value)
    return value in (label, str(label), f"{label:g}" if isinstance(label, float) else None)
