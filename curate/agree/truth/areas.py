"""Regions and boxes of several people that are one: the same label, an overlap of at least half.

They are united as the marks of texts are (`marks.py`). But nobody hits an edge that somebody else
hit: the edges are the medians of the people's, not the most frequent ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from curate.agree.truth.marks import LEAST_OVERLAP, Marked
from curate.areas import EDGES, area_key, middle, overlap, size
from curate.records import Kind

Area = tuple[tuple[float, ...], str, str]
"""The numbers of the edges, the label, the field."""

_Mark = tuple[str, Area]


@dataclass(frozen=True)
class Areas:
    """How the answers to questions of one kind, `regions` or `boxes`, are compared and united."""

    kind: Kind

    def keys(self, areas: Iterable[Mapping[str, Any]], field: str) -> list[Area]:
        """The areas as values that can be compared, sorted; one without a field is in `field`."""
        return sorted(
            (
                tuple(float(area[edge]) for edge in EDGES[self.kind]),
                area["label"],
                area.get("field") or field,
            )
            for area in areas
        )

    def united(self, areas_of: Mapping[str, Iterable[Area]]) -> list[Marked[Area]]:
        """The areas that several people's marks are about, in order."""
        return united(areas_of)

    def are_same(self, one: Iterable[Area], other: Iterable[Area]) -> bool:
        """Whether two people marked the same areas."""
        return all(len(own.people) == 2 for own in united({"one": one, "other": other}))

    def value(self, area: Area, *, names_field: bool) -> dict[str, Any]:
        """An area in the public shape."""
        numbers, label, field = area
        edges = dict(zip(EDGES[self.kind], numbers, strict=True))
        return {**edges, "label": label} | ({"field": field} if names_field else {})

    def key(self, area: Area, *, names_field: bool) -> str:
        """An area as the key of a posterior."""
        return area_key(self.kind, self.value(area, names_field=names_field))


def united(areas_of: Mapping[str, Iterable[Area]]) -> list[Marked[Area]]:
    """The areas that several people's marks are about, in order.

    The mark with which most people agree comes first, then the smaller, then the earlier: it takes
    all marks of its label and field that share at least half with it, then the next one the rest. A
    person who made the very same mark twice has made it once.
    """
    by_label: dict[tuple[str, str], list[_Mark]] = defaultdict(list)
    for person, areas in areas_of.items():
        for area in {*areas}:
            by_label[area[1:]].append((person, area))
    return sorted(
        (own for marks in by_label.values() for own in _taken(marks)), key=lambda own: own.span
    )


def _taken(marks: Sequence[_Mark]) -> Iterator[Marked[Area]]:
    left = sorted(marks, key=lambda mark: (size(mark[1][0]), mark[1], mark[0]))
    while left:
        near = [[other for other in left if are_one(area, other[1])] for _, area in left]
        taken = max(near, key=lambda own: len({person for person, _ in own}))
        area = middle([numbers for _, (numbers, _, _) in taken]), *left[0][1][1:]
        yield Marked(area, frozenset(person for person, _ in taken))
        left = [mark for mark in left if mark not in taken]


def are_one(one: Area, other: Area) -> bool:
    """Whether two areas with a label are the same one."""
    return one[1:] == other[1:] and overlap(one[0], other[0]) >= LEAST_OVERLAP
