"""Marks of several people that are one span: the same label, and an overlap of at least half."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Generic, TypeVar

Span = tuple[int, int, str, str]
"""Start, end, label, field."""

LEAST_OVERLAP = 0.5
"""Two marks with a label are one span if they share this part of their union."""


M = TypeVar("M")


@dataclass(frozen=True)
class Marked(Generic[M]):
    """A mark, as a span, and the people who made it, each of them counted once."""

    span: M
    people: frozenset[str]


def keys(spans: Iterable[Mapping[str, Any]], field: str) -> list[Span]:
    """The spans as values that can be compared, sorted; a span without a field is in `field`."""
    return sorted(
        (span["start"], span["end"], span["label"], span.get("field") or field) for span in spans
    )


def overlap(one: Span, other: Span) -> float:
    """What two spans share, as a part of their union (Jaccard): 0 to 1."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return max(shared, 0) / (max(one[1], other[1]) - min(one[0], other[0]))


def united(spans_of: Mapping[str, Iterable[Span]]) -> list[Marked[Span]]:
    """The spans that several people's marks are about, in order.

    The mark with which most people agree comes first: it takes all marks of its label and field
    that share at least half with it, then the next one the rest. The edges of a span are those of
    its most frequent mark, then of the shortest, then of the first. A person who made the very same
    mark twice has made it once.
    """
    marks = [(person, span) for person, spans in spans_of.items() for span in {*spans}]
    return sorted((own for part in _apart(marks) for own in _taken(part)), key=lambda own: own.span)


_Mark = tuple[str, Span]


def _apart(marks: Sequence[_Mark]) -> Iterator[list[_Mark]]:
    """Yield the marks in parts that share no character, each of one label and field."""
    by_label: dict[tuple[str, str], list[_Mark]] = defaultdict(list)
    for mark in sorted(marks, key=lambda mark: mark[1]):
        by_label[mark[1][2:]].append(mark)
    for own in by_label.values():
        part: list[_Mark] = []
        end = 0
        for mark in own:
            if part and mark[1][0] >= end:
                yield part
                part = []
            part.append(mark)
            end = max(end, mark[1][1])
        yield part


def _taken(marks: Sequence[_Mark]) -> Iterator[Marked[Span]]:
    left = list(marks)
    while left:
        times = Counter(span for _, span in left)
        near = {span: [mark for mark in left if _is_one(span, mark[1])] for span in times}
        people = {span: {person for person, _ in own} for span, own in near.items()}
        middle = min(times, key=lambda span: (-len(people[span]), *_place(times, span)))
        edges = Counter(span for _, span in near[middle])
        best = min(edges, key=lambda span: _place(edges, span))
        yield Marked(best, frozenset(people[middle]))
        left = [mark for mark in left if not _is_one(middle, mark[1])]


def _is_one(span: Span, other: Span) -> bool:
    return overlap(span, other) >= LEAST_OVERLAP


def _place(times: Mapping[Span, int], span: Span) -> tuple[int, int, int]:
    """The most frequent comes first, then the shorter, then the earlier."""
    return -times[span], span[1] - span[0], span[0]


def are_same(one: Iterable[Span], other: Iterable[Span]) -> bool:
    """Whether two people marked the same spans."""
    return all(len(own.people) == 2 for own in united({"one": one, "other": other}))


def mean_f1(sets: Sequence[frozenset[Any]]) -> float:
    """The mean F1 of all pairs of sets; 1 for a single one."""
    scores = [f1(one, other) for one, other in combinations(sets, 2)]
    return sum(scores) / len(scores) if scores else 1.0


def f1(one: frozenset[Any], other: frozenset[Any]) -> float:
    """The F1 of two sets of spans; it is 1 for two empty sets."""
    return 2 * len(one & other) / (len(one) + len(other)) if one or other else 1.0
