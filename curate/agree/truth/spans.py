"""Entities: a span is settled if at least half of the annotators marked it exactly."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from curate.agree.truth.methods import Label, Truth


def majority_spans(votes: Sequence[tuple[str, str, list[dict[str, Any]]]]) -> Truth:
    """Return, per item, the spans that at least half of its annotators marked exactly.

    Exactly means the same start, end, label and field. Confidence is the mean share of annotators
    who marked the settled spans; agreement is the mean pairwise F1 of exact spans.
    """
    spans_of: dict[str, dict[str, frozenset[tuple[Any, ...]]]] = defaultdict(dict)
    for item, annotator, spans in votes:
        keys = ((span["start"], span["end"], span["label"], span.get("field")) for span in spans)
        spans_of[item][annotator] = frozenset(keys)
    labels = tuple(_settled(item, list(answers.values())) for item, answers in spans_of.items())
    return Truth("majority", labels, _skill(spans_of))


def _settled(item: str, answers: Sequence[frozenset[tuple[Any, ...]]]) -> Label:
    counts = Counter(span for spans in answers for span in spans)
    majority = sorted(
        (span for span, count in counts.items() if 2 * count >= len(answers)),
        key=lambda span: span[:3],
    )
    value = [
        {"start": start, "end": end, "label": label} | ({"field": field} if field else {})
        for start, end, label, field in majority
    ]
    shares = {f"{span[0]}:{span[1]}:{span[2]}": n / len(answers) for span, n in counts.items()}
    confidence = fmean(counts[span] / len(answers) for span in majority) if majority else 1.0
    scores = [f1(one, other) for i, one in enumerate(answers) for other in answers[i + 1 :]]
    agreement = fmean(scores) if scores else 1.0
    tie = any(2 * counts[span] == len(answers) for span in majority)
    return Label(item, value, shares, confidence, len(answers), agreement, tie)


def f1(one: frozenset[Any], other: frozenset[Any]) -> float:
    """Return the F1 of two sets of spans; it is 1 for two empty sets."""
    return 2 * len(one & other) / (len(one) + len(other)) if one or other else 1.0


def _skill(spans_of: dict[str, dict[str, frozenset[Any]]]) -> dict[str, float | None]:
    """Return each annotator's mean F1 with the others, over all items."""
    scores_of: dict[str, list[float]] = defaultdict(list)
    for answers in spans_of.values():
        for annotator, spans in answers.items():
            others = [other for name, other in answers.items() if name != annotator]
            scores_of[annotator] += [f1(spans, other) for other in others]
    return {annotator: fmean(scores) for annotator, scores in scores_of.items() if scores}
