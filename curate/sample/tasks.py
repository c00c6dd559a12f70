"""From chosen documents to tasks: single texts, windows, comparisons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from curate import chance
from curate.rounds.views import SIDES, View, cut, task_id, widened, window
from curate.text import TEXT, apply_edits
from curate.workspace.documents import Kept


def members_of(place: Mapping[str, Any]) -> Sequence[str]:
    return place.get("members") or (place["id"],)


def pairs(documents: Sequence[dict[Any, Any]], number: int) -> Iterator[dict[str, Any]]:
    """Yield documents two by two; who stands left is drawn by the pair and round."""
    for one, other in zip(documents[::2], documents[1::2], strict=False):
        members = sorted((one["id"], other["id"]))
        id = task_id(members)
        if chance.uniform([id], number, "left")[0] < 0.5:
            members.reverse()
        yield {"id": id, "members": members, "stratum": one["stratum"]}


def windows(
    places: Sequence[dict[str, Any]],
    documents: Mapping[str, Kept],
    size: int,
    seed: int,
    number: int,
) -> Iterator[dict[str, Any]]:
    """Yield the documents, and a window at random of each that is one text longer than `size`."""
    chances = chance.uniform([place["id"] for place in places], seed, f"window {number}")
    for place, where in zip(places, chances.tolist(), strict=True):
        id, document = place["id"], documents[place["id"]]
        if [*document.whole.fields] == [TEXT] and len(document.text) > size:
            start, end = window(len(document.text), size, where, document.edits)
            yield {**place, "members": [id], "start": start, "end": end}
        else:
            yield place


def task_rows(
    places: Sequence[dict[str, Any]], documents: Mapping[str, Kept]
) -> tuple[list[dict[str, Any]], dict[str, View]]:
    """Return the rows of `sample`, and what they show: a text, a part of it, or two side by side.

    Documents of several fields are compared as the text that their template makes of them.
    """
    rows, views = [], {}
    for place in places:
        shown = [documents[id] for id in members_of(place)]
        if not place.get("members"):
            row, view = place, shown[0].whole
        elif len(shown) == len(SIDES):
            row, view = place, _side_by_side(place["members"], shown)
        else:
            row, view = _part(place, shown[0])
        rows.append(row)
        views[row["id"]] = view
    return rows, views


def _side_by_side(members: Sequence[str], shown: Sequence[Kept]) -> View:
    sides = dict(zip(SIDES, shown, strict=True))
    return View(
        {side: apply_edits(each.text, each.edits) for side, each in sides.items()},
        tuple(members),
        by_field={side: each.edits for side, each in sides.items() if each.edits},
    )


def _part(place: Mapping[str, Any], shown: Kept) -> tuple[dict[str, Any], View]:
    start, end = widened(place["start"], place["end"], shown.edits)  # a text sent again may have
    part, inside = cut(shown.text, start, end, shown.edits)  # other edits than it had
    members = tuple(place["members"])
    row = {**place, "id": task_id(members, start, end), "start": start, "end": end}
    return row, View({TEXT: part}, members, start, inside)
