"""The tasks of a batch, in the order in which people see them."""

from __future__ import annotations

import json

from curate import chance
from curate.records import Suggestion, Task
from curate.rounds import Round


def tasks_of(current: Round, batch: str | None = None) -> list[Task]:
    """Return what a batch asks, in the order shown: by hash, so that a round cut short is random.

    The ids of the tasks are all that leads back to documents, members and gold.
    """
    texts = current.texts()
    erased = current.erased
    rows = {
        row["id"]: row
        for row in current.tasks()
        if row["batch"] == batch and row["id"] not in erased
    }
    return [
        Task(id, texts[id], rows[id]["overlap"], _stored_suggestions(rows[id]["suggestions"]))
        for id in in_order(current)
        if id in rows
    ]


def _stored_suggestions(stored: str | None) -> tuple[Suggestion, ...]:
    return tuple(Suggestion(**each) for each in json.loads(stored or "[]"))


def in_order(current: Round) -> list[str]:
    ids = current.sample()["id"].to_pylist()
    order = chance.uniform(ids, current.spec["sample"].get("seed", 0), "order")
    return [id for _, id in sorted(zip(order.tolist(), ids, strict=True))]
