"""Marks: a span, a region or a box is settled if more than half of the annotators marked it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import prod
from statistics import fmean
from typing import Any, Protocol

from curate.agree.truth.marks import Marked, Span, are_same, f1, keys, mean_f1, united
from curate.agree.truth.truth import Label, Skill, Truth, Votes
from curate.records import span_key


class Shape(Protocol):
    """How the marks of one kind of question are compared, united and written."""

    def keys(self, marks: Iterable[Mapping[str, Any]], field: str) -> list[Any]:
        """The marks as values that can be compared, sorted; one without a field is in `field`."""
        ...

    def united(self, marks_of: Mapping[str, Iterable[Any]], /) -> list[Marked[Any]]:
        """The marks of several people that are about the same, in order."""
        ...

    def are_same(self, one: Iterable[Any], other: Iterable[Any]) -> bool:
        """Whether two people marked the same."""
        ...

    def value(self, mark: Any, *, names_field: bool) -> dict[str, Any]:
        """A mark in the public shape."""
        ...

    def key(self, mark: Any, *, names_field: bool) -> str:
        """A mark as the key of a posterior."""
        ...


class Spans:
    """Spans of texts."""

    keys = staticmethod(keys)
    united = staticmethod(united)
    are_same = staticmethod(are_same)

    def value(self, mark: Span, *, names_field: bool) -> dict[str, Any]:
        """A span in the public shape."""
        start, end, label, field = mark
        own = {"start": start, "end": end, "label": label}
        return own | ({"field": field} if names_field else {})

    def key(self, mark: Span, *, names_field: bool) -> str:
        """A span as the key of a posterior."""
        start, end, label, field = mark
        return span_key(start, end, label, field if names_field else None)


def majority_spans(votes: Votes, field: str) -> Truth:
    """The spans of each item that more than half of its annotators marked."""
    return majority(votes, field, Spans())


def majority(votes: Votes, field: str, shape: Shape) -> Truth:
    """The marks of each item that more than half of its annotators made.

    Marks are one if they have a label and a field, and share at least half of their union;
    `field` is that of marks that name none. A mark that exactly half of them made leaves the
    item undecided. The posterior is the share of annotators who made each mark. Confidence is
    the product over the marks of the larger of this share and its rest, as if they were
    independent. Agreement is the mean F1 of two annotators; skill is a person's with the others.
    """
    spans_of: dict[str, dict[str, list[Any]]] = defaultdict(dict)
    named: set[str] = set()
    for item, annotator, spans in votes:
        spans_of[item][annotator] = shape.keys(spans, field)
        named |= {item for span in spans if span.get("field")}
    found = {item: shape.united(answers) for item, answers in spans_of.items()}
    marked_by = {item: _marked_by(answers, found[item]) for item, answers in spans_of.items()}
    labels = tuple(
        _settled(item, found[item], [*own.values()], shape, names_field=item in named)
        for item, own in marked_by.items()
    )
    return Truth("majority", labels, _skill(marked_by))


def _marked_by(
    people: Mapping[str, Any], found: Sequence[Marked[Any]]
) -> dict[str, frozenset[int]]:
    """The places in `found` of the spans that each person marked."""
    return {
        person: frozenset(place for place, own in enumerate(found) if person in own.people)
        for person in people
    }


def _settled(
    item: str,
    found: Sequence[Marked[Any]],
    sets: Sequence[frozenset[int]],
    shape: Shape,
    *,
    names_field: bool,
) -> Label:
    people = len(sets)
    halves = [own for own in found if 2 * len(own.people) == people]
    majority = [own.span for own in found if 2 * len(own.people) > people]
    value = [shape.value(mark, names_field=names_field) for mark in majority]
    shares = [len(own.people) / people for own in found]
    names = [shape.key(own.span, names_field=names_field) for own in found]
    return Label(
        item=item,
        value=None if halves else value,
        posterior=dict(zip(names, shares, strict=True)),
        confidence=prod(max(share, 1 - share) for share in shares),
        votes=people,
        agreement=mean_f1(sets),
        undecided=bool(halves),
    )


def _skill(marked_by: Mapping[str, Mapping[str, frozenset[int]]]) -> dict[str, Skill]:
    """Each annotator's mean F1 with the others, over all items."""
    scores_of: dict[str, list[float]] = defaultdict(list)
    for sets in marked_by.values():
        for annotator, own in sets.items():
            others = [other for name, other in sets.items() if name != annotator]
            scores_of[annotator] += [f1(own, other) for other in others]
    return {annotator: Skill(fmean(scores)) for annotator, scores in scores_of.items() if scores}
