"""Regions of a sound and boxes on a picture: marks whose edges are numbers on one axis or two.

    regions   {"start", "end", "label"}                seconds from the beginning
    boxes     {"x", "y", "width", "height", "label"}   percent of the picture's width and height;
                                                       x and y are of the upper left corner

As keys of a posterior they are `1.5:3.25:speech` and `10.0:20.0:30.0:40.0:cat`, or
`FIELD@1.5:3.25:speech` with their field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import prod
from statistics import median
from typing import Any

from curate.finite import is_number
from curate.records import Kind

EDGES: Mapping[Kind, tuple[str, ...]] = {
    "regions": ("start", "end"),
    "boxes": ("x", "y", "width", "height"),
}
"""The numbers of an area, by the kind of its question."""

PERCENT = 100.0
BEYOND = 0.001
"""How far the far edge of a box may lie beyond the picture, in percent: sums are rounded."""

DECIMALS = 6
"""The decimals of an edge that is nobody's own: a microsecond."""

_NUMBER = r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?"


def area_key(kind: Kind, area: Mapping[str, Any]) -> str:
    """An area as the key of a posterior; with its field where it names one."""
    numbers = ":".join(repr(float(area[edge])) for edge in EDGES[kind])
    field = f"{area['field']}@" if area.get("field") else ""
    return f"{field}{numbers}:{area['label']}"


def area_of_key(kind: Kind, key: str) -> dict[str, Any]:
    """The area of such a key; `field` is None where it names none. Raises ValueError."""
    edges = EDGES[kind]
    numbers = ":".join(f"(?P<{edge}>{_NUMBER})" for edge in edges)
    parts = re.fullmatch(rf"(?:(?P<field>[^@:]+)@)?{numbers}:(?P<label>.*)", key, re.DOTALL)
    if parts is None:
        raise ValueError(f"{key!r} is not a key of {kind}")
    return {
        **{edge: float(parts[edge]) for edge in edges},
        "label": parts["label"],
        "field": parts["field"],
    }


def kind_of(mark: Mapping[str, Any]) -> Kind:
    """The kind of question that a settled mark answers: only code points are whole numbers."""
    if "width" in mark:
        return "boxes"
    return "entities" if isinstance(mark.get("start"), int) else "regions"


def in_floats(kind: Kind, area: Mapping[str, Any]) -> dict[str, Any]:
    """An area whose edges are floats, however they were written."""
    return {**area, **{edge: float(area[edge]) for edge in EDGES[kind]}}


def spoken(kind: Kind, area: Mapping[str, Any]) -> str:
    """An area as a person reads it: `speech: 1.5 to 3.25 s`, `cat: 30 × 40 % at 10, 20`."""
    if kind == "regions":
        return f"{area['label']}: {area['start']:.4g} to {area['end']:.4g} s"
    x, y, width, height = (f"{area[edge]:.3g}" for edge in EDGES[kind])
    return f"{area['label']}: {width} × {height} % at {x}, {y}"


def wrong_edges(kind: Kind, area: Mapping[str, Any]) -> str | None:
    """Why the edges of an area cannot be right; None if they can.

    Nobody knows here how long a sound is.
    """
    numbers: list[Any] = [area.get(edge) for edge in EDGES[kind]]
    if not all(map(is_number, numbers)):
        return f"{' and '.join(EDGES[kind])} are numbers"
    if kind == "regions":
        start, end = numbers
        return (
            None if 0 <= start < end else f"the region {start:g}:{end:g} is not a stretch of time"
        )
    x, y, width, height = numbers
    most = PERCENT + BEYOND
    if min(x, y) < 0 or min(width, height) <= 0 or max(x + width, y + height) > most:
        return f"the box {x:g}, {y:g}, {width:g} × {height:g} is not within the picture"
    return None


def corners(numbers: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """The low and the high edge on each axis, from the numbers of a region or a box."""
    if len(numbers) == 2:
        return ((numbers[0], numbers[1]),)
    x, y, width, height = numbers
    return ((x, x + width), (y, y + height))


def size(numbers: Sequence[float]) -> float:
    """The seconds of a region, or the area of a box."""
    return prod(high - low for low, high in corners(numbers))


def overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """What two areas share, as a part of their union (Jaccard): 0 to 1."""
    both = list(zip(corners(one), corners(other), strict=True))
    shared = prod(max(min(a[1], b[1]) - max(a[0], b[0]), 0.0) for a, b in both)
    union = size(one) + size(other) - shared
    return shared / union if union > 0 else 0.0


def middle(areas: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """The area of the median edges; the areas themselves if all are the same."""
    if len({tuple(area) for area in areas}) == 1:
        return tuple(areas[0])
    axes = list(zip(*map(corners, areas), strict=True))
    lows, highs = ([median(edge[end] for edge in axis) for axis in axes] for end in (0, 1))
    if len(axes) == 1:
        return round(lows[0], DECIMALS), round(highs[0], DECIMALS)
    sizes = [high - low for low, high in zip(lows, highs, strict=True)]
    return tuple(round(number, DECIMALS) for number in (*lows, *sizes))
