"""Entities: a span is settled when at least half of the annotators marked it, edges and label."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from curate.agree.truth.methods import Label, Truth


def majority_spans(votes: Sequence[tuple[str, str, list[dict[str, Any]]]]) -> Truth:
    """Return, per item, the spans that at least half of its annotators marked exactly.

    Confidence is the mean share of annotators behind the spans kept; agreement is the mean
    pairwise F1 of exact spans.
    """
    given: dict[str, dict[str, frozenset[tuple[Any, ...]]]] = defaultdict(dict)
    for item, annotator, spans in votes:
        keys = ((s["start"], s["end"], s["label"], s.get("field")) for s in spans)
        given[item][annotator] = frozenset(keys)
    labels = tuple(_settled(item, list(marked.values())) for item, marked in given.items())
    return Truth("majority", labels, _skill(given))


def _settled(item: str, marked: Sequence[frozenset[tuple[Any, ...]]]) -> Label:
    counts = Counter(span for spans in marked for span in spans)
    kept = sorted((s for s, n in counts.items() if 2 * n >= len(marked)), key=lambda s: s[:3])
    value = [
        {"start": start, "end": end, "label": label} | ({"field": field} if field else {})
        for start, end, label, field in kept
    ]
    shares = {f"{s[0]}:{s[1]}:{s[2]}": n / len(marked) for s, n in counts.items()}
    sure = fmean(counts[span] / len(marked) for span in kept) if kept else 1.0
    pairs = [f1(a, b) for i, a in enumerate(marked) for b in marked[i + 1 :]]
    tie = any(2 * counts[span] == len(marked) for span in kept)
    return Label(item, value, shares, sure, len(marked), fmean(pairs) if pairs else 1.0, tie)


def f1(one: frozenset[Any], other: frozenset[Any]) -> float:
    """Return the F1 of two sets of spans; two empty sets agree."""
    return 2 * len(one & other) / (len(one) + len(other)) if one or other else 1.0


def _skill(given: dict[str, dict[str, frozenset[Any]]]) -> dict[str, float | None]:
    scores: dict[str, list[float]] = defaultdict(list)
    for marked in given.values():
        for annotator, spans in marked.items():
            scores[annotator] += [f1(spans, o) for name, o in marked.items() if name != annotator]
    return {annotator: fmean(values) for annotator, values in scores.items() if values}
