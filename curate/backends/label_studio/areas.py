"""Regions of sounds and boxes on pictures, as Label Studio stores them and as our values.

    regions   labels            {"start": 0.5, "end": 2.25, "channel": 0, "labels": ["speech"]}
    boxes     rectanglelabels   {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0,
                                 "rectanglelabels": ["cat"]}

Both sides count seconds, and percent of the picture as it lies in its file. The server checks
nothing. Measured in the browser: a box is cut at the edges of the picture, a region is not cut at
the end of the sound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from curate.areas import EDGES
from curate.forms import brief
from curate.records import Kind, Question

Item = Mapping[str, Any]

LABELS: Mapping[Kind, str] = {"regions": "labels", "boxes": "rectanglelabels"}
"""The key under which an item has its labels."""


class Unreadable(Exception):
    """A result that does not have the shape of its kind."""


def read_areas(
    question: Question, items: Sequence[Item], fields: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The areas in order; an empty list if the person marked none.

    `fields` maps the names of tags to the fields that they show. Raises Unreadable.
    """
    areas: list[dict[str, Any]] = []
    several = len(set(fields.values())) > 1
    for item in items:
        value, labels = item["value"], item["value"].get(LABELS[question.kind])
        if not isinstance(labels, list) or not labels:
            raise Unreadable("a mark has no label")
        if value.get("rotation") or item.get("image_rotation"):
            raise Unreadable("a box or its picture is turned")
        edges = {edge: _number(value.get(edge), edge) for edge in EDGES[question.kind]}
        field = {"field": fields.get(str(item.get("to_name")))} if several else {}
        areas.extend({**edges, "label": label, **field} for label in labels)
    return sorted(areas, key=lambda area: (*_edges(question.kind, area), str(area["label"])))


def _number(value: Any, edge: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unreadable(f"{edge} is {brief(value)}, not a number")
    return float(value)


def _edges(kind: Kind, area: Item) -> tuple[float, ...]:
    return tuple(area[edge] for edge in EDGES[kind])


def write_area(kind: Kind, area: Item) -> dict[str, Any]:
    """The value of a result item."""
    own: dict[str, Any] = {edge: area[edge] for edge in EDGES[kind]}
    more = {"rotation": 0} if kind == "boxes" else {"channel": 0}
    return {**own, **more, LABELS[kind]: [area["label"]]}
