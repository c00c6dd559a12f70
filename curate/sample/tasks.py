"""From chosen documents to tasks: single texts, windows, comparisons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from curate import chance
from curate.rounds.views import SIDES, View, cut, task_id, widened, window
from curate.text import TEXT, apply_edits
from curate.workspace.documents import KeptDocument


def members_of(task: Mapping[str, Any]) -> Sequence[str]:
    """Return the ids of the documents that a task shows."""
    return task.get("members") or (task["id"],)


def pairs(documents: Sequence[dict[Any, Any]], number: int) -> Iterator[dict[str, Any]]:
    """Yield comparisons of two documents each; the pair and the round decide which stands left."""
    for one, other in zip(documents[::2], documents[1::2], strict=False):
        members = sorted((one["id"], other["id"]))
        id = task_id(members)
        if chance.uniform([id], number, "left")[0] < 0.5:
            members.reverse()
        yield {"id": id, "members": members, "stratum": one["stratum"]}


def windows(
    tasks: Sequence[dict[str, Any]],
    documents: Mapping[str, KeptDocument],
    size: int,
    seed: int,
    number: int,
) -> Iterator[dict[str, Any]]:
    """Yield the tasks; a document of one text longer than `size` becomes a random window of it."""
    draws = chance.uniform([task["id"] for task in tasks], seed, f"window {number}")
    for task, draw in zip(tasks, draws.tolist(), strict=True):
        id, document = task["id"], documents[task["id"]]
        if [*document.whole.fields] == [TEXT] and len(document.text) > size:
            start, end = window(len(document.text), size, draw, document.edits)
            yield {**task, "members": [id], "start": start, "end": end}
        else:
            yield task


def task_rows(
    tasks: Sequence[dict[str, Any]], documents: Mapping[str, KeptDocument]
) -> tuple[list[dict[str, Any]], dict[str, View]]:
    """Return the rows of `sample`, and their views: a text, a part of it, or two side by side.

    A comparison shows a document of several fields as the one text of its template, and one
    without text as its medium.
    """
    rows, views = [], {}
    for task in tasks:
        members = [documents[id] for id in members_of(task)]
        if not task.get("members"):
            row, view = task, members[0].whole
        elif len(members) == len(SIDES):
            row, view = task, _side_by_side(task["members"], members)
        else:
            row, view = _part(task, members[0])
        rows.append(row)
        views[row["id"]] = view
    return rows, views


def _side_by_side(ids: Sequence[str], documents: Sequence[KeptDocument]) -> View:
    sides = dict(zip(SIDES, documents, strict=True))
    return View(
        {side: _shown(document) for side, document in sides.items()},
        tuple(ids),
        by_field={side: document.edits for side, document in sides.items() if document.edits},
    )


def _shown(document: KeptDocument) -> str:
    """The text of a document, or the address of its medium where it has no text."""
    text = apply_edits(document.text, document.edits)
    return text or next(iter(document.whole.fields.values()), "")


def _part(task: Mapping[str, Any], document: KeptDocument) -> tuple[dict[str, Any], View]:
    # A text that is sent again may have other edits than the first time.
    start, end = widened(task["start"], task["end"], document.edits)
    part, edits = cut(document.text, start, end, document.edits)
    members = tuple(task["members"])
    row = {**task, "id": task_id(members, start, end), "start": start, "end": end}
    return row, View({TEXT: part}, members, start, edits)
