"""Entities: a span is settled if more than half of the annotators marked it exactly."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from curate.agree.truth.truth import Label, Skill, Truth, Votes
from curate.records import span_key

Span = tuple[int, int, str, str]
"""Start, end, label, field."""


def keys(spans: Iterable[Mapping[str, Any]], field: str) -> list[Span]:
    """The spans as values that can be compared, sorted; a span without a field is in `field`."""
    return sorted(
        (span["start"], span["end"], span["label"], span.get("field") or field) for span in spans
    )


def majority_spans(votes: Votes, field: str) -> Truth:
    """The spans of each item that most of its annotators marked exactly.

    Exactly means the same start, end, label and field; `field` is that of spans that name none. A
    span that exactly half of them marked leaves the item undecided. Confidence is the mean share
    of annotators who marked the settled spans; agreement is the mean pairwise F1 of exact spans.
    """
    spans_of: dict[str, dict[str, frozenset[Span]]] = defaultdict(dict)
    named: set[str] = set()
    for item, annotator, spans in votes:
        spans_of[item][annotator] = frozenset(keys(spans, field))
        named |= {item for span in spans if span.get("field")}
    labels = tuple(
        _settled(item, list(answers.values()), item in named) for item, answers in spans_of.items()
    )
    return Truth("majority", labels, _skill(spans_of))


def _settled(item: str, answers: Sequence[frozenset[Span]], names_field: bool) -> Label:
    counts = Counter(span for spans in answers for span in spans)
    majority = sorted(span for span, count in counts.items() if 2 * count >= len(answers))
    is_undecided = any(2 * counts[span] == len(answers) for span in majority)
    value = [
        {"start": start, "end": end, "label": label} | ({"field": field} if names_field else {})
        for start, end, label, field in majority
    ]
    shares = {
        span_key(start, end, label, field if names_field else None): count / len(answers)
        for (start, end, label, field), count in counts.items()
    }
    scores = [f1(one, other) for i, one in enumerate(answers) for other in answers[i + 1 :]]
    return Label(
        item=item,
        value=None if is_undecided else value,
        posterior=shares,
        confidence=fmean(counts[span] / len(answers) for span in majority) if majority else 1.0,
        votes=len(answers),
        agreement=fmean(scores) if scores else 1.0,
        undecided=is_undecided,
    )


def f1(one: frozenset[Any], other: frozenset[Any]) -> float:
    """The F1 of two sets of spans; it is 1 for two empty sets."""
    return 2 * len(one & other) / (len(one) + len(other)) if one or other else 1.0


def _skill(spans_of: Mapping[str, Mapping[str, frozenset[Span]]]) -> dict[str, Skill]:
    """Each annotator's mean F1 with the others, over all items."""
    scores_of: dict[str, list[float]] = defaultdict(list)
    for answers in spans_of.values():
        for annotator, spans in answers.items():
            others = [other for name, other in answers.items() if name != annotator]
            scores_of[annotator] += [f1(spans, other) for other in others]
    return {annotator: Skill(fmean(scores)) for annotator, scores in scores_of.items() if scores}
