"""Entities: a span is settled if more than half of the annotators marked it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import prod
from statistics import fmean
from typing import Any

from curate.agree.truth.marks import Marked, Span, f1, keys, mean_f1, united
from curate.agree.truth.truth import Label, Skill, Truth, Votes
from curate.records import span_key


def majority_spans(votes: Votes, field: str) -> Truth:
    """The spans of each item that more than half of its annotators marked.

    Marks are one span if they have a label and a field, and share at least half of their union;
    `field` is that of marks that name none. A span that exactly half of them marked leaves the
    item undecided. The posterior is the share of annotators who marked each span. Confidence is
    the product over the spans of the larger of this share and its rest, as if they were
    independent. Agreement is the mean F1 of two annotators; skill is a person's with the others.
    """
    spans_of: dict[str, dict[str, list[Span]]] = defaultdict(dict)
    named: set[str] = set()
    for item, annotator, spans in votes:
        spans_of[item][annotator] = keys(spans, field)
        named |= {item for span in spans if span.get("field")}
    found = {item: united(answers) for item, answers in spans_of.items()}
    marked_by = {item: _marked_by(answers, found[item]) for item, answers in spans_of.items()}
    labels = tuple(
        _settled(item, found[item], [*own.values()], item in named)
        for item, own in marked_by.items()
    )
    return Truth("majority", labels, _skill(marked_by))


def _marked_by(people: Mapping[str, Any], found: Sequence[Marked]) -> dict[str, frozenset[int]]:
    """The places in `found` of the spans that each person marked."""
    return {
        person: frozenset(place for place, own in enumerate(found) if person in own.people)
        for person in people
    }


def _settled(
    item: str, found: Sequence[Marked], sets: Sequence[frozenset[int]], names_field: bool
) -> Label:
    people = len(sets)
    halves = [own for own in found if 2 * len(own.people) == people]
    majority = [own.span for own in found if 2 * len(own.people) > people]
    value = [
        {"start": start, "end": end, "label": label} | ({"field": field} if names_field else {})
        for start, end, label, field in majority
    ]
    shares = [len(own.people) / people for own in found]
    names = [
        span_key(start, end, label, field if names_field else None)
        for start, end, label, field in (own.span for own in found)
    ]
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
