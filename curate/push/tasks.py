"""The tasks of a batch, in the order in which people see them."""

from __future__ import annotations

import json

from curate import chance
from curate.media.medium import Medium
from curate.records import Suggestion, Task
from curate.rounds import Round


def tasks_of(current: Round, batch: str | None = None) -> list[Task]:
    """The tasks of a batch in the order shown; erased ones are left out.

    The order is by hash, so the answered part of a round that ends early is random. Only the ids
    of the tasks lead back to documents, members and gold.
    """
    texts = current.texts()
    erased = current.erased
    rows = {
        row["id"]: row
        for row in current.tasks()
        if row["batch"] == batch and row["id"] not in erased
    }
    folder = current.folder.parent.parent
    return [
        Task(
            id,
            texts[id],
            rows[id]["overlap"],
            _stored_suggestions(rows[id]["suggestions"]),
            {medium.field: medium for medium in map(Medium.of, rows[id].get("media") or ())},
            folder,
        )
        for id in in_order(current)
        if id in rows
    ]


def _stored_suggestions(stored: str | None) -> tuple[Suggestion, ...]:
    return tuple(Suggestion(**fields) for fields in json.loads(stored or "[]"))


def in_order(current: Round) -> list[str]:
    """The ids of a round's tasks in the order shown: by hash of id and the seed of `sample`."""
    ids = current.sample()["id"].to_pylist()
    chances = chance.uniform(ids, current.spec["sample"].get("seed", 0), "order")
    return [id for _, id in sorted(zip(chances.tolist(), ids, strict=True))]
