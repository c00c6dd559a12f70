"""What Label Studio still shows to people: how it treats skips, each task's overlap, what is gone.

Measured on 1.23.2: unless skips go to others, the server counts a skip as an answer for the
overlap, and shows the task to nobody else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from curate.backends.label_studio.client import (
    LOOKUP,
    RECORD,
    Client,
    chunks,
    well_formed,
    where,
    where_records,
)
from curate.records import Unserved

SKIPS = "REQUEUE_FOR_OTHERS"
"""The project's setting with which others are asked about what somebody skipped."""

LOOKUPS = 20
"""How many lookups by ids are made before it is quicker to read all tasks."""


def ask_more(client: Client, project: str, missing: Mapping[str, int], tasks: int) -> Unserved:
    """See that the server asks so many more people about tasks; return those that it lacks.

    Overlaps are raised where the server counts more answers than we do. `tasks` is the number of
    tasks that the project should have.
    """
    if not missing:
        return Unserved()
    _requeue_skips(client, project)
    for task in _answered(client, project, sorted(missing)):
        with well_formed():
            record, counted = task["data"][RECORD], task["total_annotations"]
            is_short = record in missing and task["overlap"] < counted + missing[record]
        if is_short:
            body = {"overlap": counted + missing[record]}
            client.request("PATCH", f"api/tasks/{task['id']}/", body=body)
    return Unserved(gone=tuple(_gone(client, project, sorted(missing), tasks)))


def _requeue_skips(client: Client, project: str) -> None:
    """Let others be asked about what somebody skipped, if the project was set up otherwise."""
    path = f"api/projects/{project}/"
    with well_formed():
        is_ours = client.request("GET", path)["skip_queue"] == SKIPS
    if not is_ours:
        client.request("PATCH", path, body={"skip_queue": SKIPS})


def _answered(client: Client, project: str, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the tasks that have answers: those of `ids`, or all if these are many."""
    fields = "id,data,overlap,total_annotations"
    has_answers = where("total_annotations", "greater", "Number", 0)
    chosen = [[where_records(chunk)] for chunk in chunks(ids, LOOKUP)]
    for filters in chosen if len(chosen) <= LOOKUPS else [[]]:
        yield from client.tasks(project, fields, has_answers, *filters)


def _gone(client: Client, project: str, ids: Sequence[str], tasks: int) -> Iterator[str]:
    """Yield those of `ids` that have no task on the server; counts say whether to look."""
    chosen = [*chunks(ids, LOOKUP)]
    if len(chosen) > LOOKUPS:
        chosen = [ids] if client.count_tasks(project) < tasks else []
    for chunk in chosen:
        filters = [where_records(chunk)] if len(chunk) <= LOOKUP else []
        if filters and client.count_tasks(project, *filters) >= len(chunk):
            continue
        present = {record for _, record in client.records(project, *filters)}
        yield from (id for id in chunk if id not in present)
