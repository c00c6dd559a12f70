"""Doubtful spans: of each text that people marked, what a head of the other texts contradicts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from curate.annotated.spans import Marked, Span, names_of, read_marked, span_of, tag
from curate.heads.tokens import OUTSIDE, UNKNOWN, Tagged, TokenDoubts, doubt_tokens
from curate.records import Question
from curate.rounds.views import View, contested
from curate.score.doubting.ranking import Doubtful, DoubtfulLabel
from curate.score.labels import MIN_LABELS
from curate.score.spec import ScoreSpec
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def doubtful_spans(workspace: Workspace, spec: ScoreSpec, question: Question) -> Doubtful:
    """One label for each text: the spans that people marked, and the same as they are foreseen.

    Nothing is doubtful of fewer than 10 texts, or where hardly a text has a span.
    """
    settled, views, marked = read_marked(workspace, question)
    if len(views) < MIN_LABELS:
        return Doubtful((), 0)
    names = names_of(marked)
    tagged = [tag(own, names) for own in marked]
    doubts = doubt_tokens(tagged, len(names) + 1, spec.folds, spec.seed)
    by_id: dict[str, list[tuple[Marked, Tagged, TokenDoubts]]] = {}
    for own, tags, doubt in zip(marked, tagged, doubts, strict=True):
        if doubt is not None:
            by_id.setdefault(own.id, []).append((own, tags, doubt))
    labels = [
        _label(question.name, views[id], settled[id]["value"], names, parts)
        for id, parts in by_id.items()
    ]
    wrong = sum(any(doubt.wrong.any() for *_, doubt in parts) for parts in by_id.values())
    return Doubtful(tuple(labels), wrong)


def told(workspace: Workspace, labels: Sequence[DoubtfulLabel]) -> tuple[DoubtfulLabel, ...]:
    """Labels for people: of spans those that are contested, with their words."""
    spans = {label.id for label in labels if '{"' in label.value + label.predicted}
    views = workspace.documents.find_views(spans)
    return tuple(_told(views[own.id], own) if own.id in views else own for own in labels)


def _told(view: View, label: DoubtfulLabel) -> DoubtfulLabel:
    value, predicted = json.loads(label.value), json.loads(label.predicted)
    if not all(isinstance(own, list) for own in (value, predicted)):
        return label  # another question about the same text
    if not all(isinstance(span, dict) for span in (*value, *predicted)):
        return label
    return replace(
        label,
        value=_json(view.spoken(contested(value, predicted))),
        predicted=_json(view.spoken(contested(predicted, value))),
    )


# ── what is foreseen


def _label(
    question: str,
    view: View,
    value: list[Span],
    names: Sequence[str],
    parts: Sequence[tuple[Marked, Tagged, TokenDoubts]],
) -> DoubtfulLabel:
    doubt = max(own.doubt for *_, own in parts)
    gone, new = [], []
    for marked, tagged, doubts in parts:
        kept, runs = foreseen(marked, tagged, doubts.predicted, names)
        gone += contested(marked.spans, kept)
        named = {"field": marked.field} if len(view.fields) > 1 else {}
        new += [{**span, **named} for span in runs]
    home = [span for one in new for span in _home(view, one)]
    left = [span for span in value if view.shown_span(span) not in gone]
    predicted = sorted([*left, *home], key=lambda span: (span.get("field", ""), span["start"]))
    why = "head" * (doubt > 0.5)
    return DoubtfulLabel(parts[0][0].id, question, _json(value), _json(predicted), doubt, why)


def _home(view: View, span: Span) -> list[Span]:
    """A span of the page at home; none if it has no place there."""
    spans, problem = view.home([dict(span)], "entities")
    return [] if problem else list(spans)


def foreseen(
    marked: Marked, tagged: Tagged, predicted: NDArray[np.int64], names: Sequence[str]
) -> tuple[list[Span], list[Span]]:
    """The spans that stay as people marked them, and the others that the classes make.

    A run of words of one class is one span. Two spans that people marked side by side stay two,
    unless a word of them is contested. A span without a word stays.
    """
    own = [span_of(marked.spans, place) for place in tagged.places]
    is_changed = (predicted != tagged.classes).tolist()
    runs: list[list[int]] = []
    for row, name in enumerate(predicted.tolist()):
        if name in (OUTSIDE, UNKNOWN):
            continue
        goes_on = bool(runs) and runs[-1][-1] == row - 1 and predicted[row - 1] == name
        if goes_on and (own[row] is own[row - 1] or is_changed[row] or is_changed[row - 1]):
            runs[-1].append(row)
        else:
            runs.append([row])
    words_of: dict[int, list[int]] = {}
    for row, span in enumerate(own):
        if span is not None:
            words_of.setdefault(id(span), []).append(row)
    changed = {id(own[row]) for row, changes in enumerate(is_changed) if changes}
    whole = [words_of[key] for key in words_of if key not in changed]
    kept = [
        span
        for span in marked.spans
        if id(span) not in words_of or (id(span) not in changed and words_of[id(span)] in runs)
    ]
    new: list[Span] = [
        {
            "start": tagged.places[run[0]][0],
            "end": tagged.places[run[-1]][1],
            "label": names[int(predicted[run[0]]) - 1],
        }
        for run in runs
        if run not in whole
    ]
    return kept, new


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
