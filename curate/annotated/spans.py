"""Spans that people marked: the words of each text, and the class of each word."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate.heads.tokens import OUTSIDE, UNKNOWN, Place, Tagged
from curate.records import Question
from curate.rounds.views import View
from curate.text import word_places
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Span = Mapping[str, Any]


@dataclass(frozen=True)
class Marked:
    """A field of a text that people marked, as the page had it.

    `spans` are as people marked them there, `window` the part that they saw (None: the whole).
    """

    id: str
    field: str
    text: str
    spans: Sequence[Span]
    window: Place | None


def read_marked(
    workspace: Workspace, question: Question
) -> tuple[dict[str, dict[str, Any]], dict[str, View], list[Marked]]:
    """The settled label of each text, the views of those that can be learned from, their fields.

    Held-out documents are left out, and fields of which an edit cuts what people marked.
    """
    settled = _settled(workspace, question.name)
    views = workspace.documents.find_views(_open(workspace, settled))
    marked = [
        own for id, view in views.items() for own in _marked_fields(question, view, settled[id])
    ]
    return settled, views, marked


def names_of(marked: Sequence[Marked]) -> list[str]:
    """The labels of all spans, sorted."""
    return sorted({span["label"] for own in marked for span in own.spans})


def _settled(workspace: Workspace, question: str) -> dict[str, dict[str, Any]]:
    """The settled spans of each text, as its row of `labels`."""
    import pyarrow.compute as pc

    labels = workspace.tables.read("labels", ["id", "question", "value", "start", "end"])
    own = labels.filter(pc.and_(pc.equal(labels["question"], question), labels["value"].is_valid()))
    return {row["id"]: {**row, "value": json.loads(row["value"])} for row in own.to_pylist()}


def _open(workspace: Workspace, ids: Mapping[str, Any]) -> list[str]:
    """Those of the documents that are kept and not held out."""
    import pyarrow.compute as pc

    return [
        id
        for table in workspace.documents.lookup(ids, ["id", "holdout"])
        for id in table.filter(pc.invert(table["holdout"]))["id"].to_pylist()
    ]


def _marked_fields(question: Question, view: View, label: Mapping[str, Any]) -> Iterator[Marked]:
    """Yield the fields that people marked; none if an edit cuts what they marked since."""
    spans = [view.shown_span(span) for span in label["value"]]
    window = None
    if label["start"] is not None:
        window = view.shown_span({"start": label["start"], "end": label["end"]})
        spans.append(window)
    if None in spans:
        return
    for name in question.fields:
        if name in view.fields:
            own = [
                span
                for span in spans
                if span and "label" in span and (span.get("field") or question.fields[0]) == name
            ]
            seen = (window["start"], window["end"]) if window else None
            yield Marked(label["id"], name, view.fields[name], own, seen)


def tag(marked: Marked, names: Sequence[str]) -> Tagged:
    """The words of a text and their classes: OUTSIDE, or from 1 the place of a label among `names`.

    A word is in a span that shares a letter with it; of spans that overlap, in the longest.
    """
    import numpy as np

    places = word_places(marked.text)
    classes = np.full(len(places), OUTSIDE)
    for row in range(len(places)):
        span = span_of(marked.spans, places[row])
        if span is not None:
            classes[row] = 1 + names.index(span["label"])
    if marked.window is not None:
        start, end = marked.window
        outside = [not start <= low < high <= end for low, high in places]
        classes[np.array(outside, bool)] = UNKNOWN
    return Tagged(marked.id, marked.text, places, classes)


def span_of(spans: Sequence[Span], place: Place) -> Span | None:
    """The longest span that shares a letter with a word."""
    own = [span for span in spans if span["start"] < place[1] and place[0] < span["end"]]
    return max(own, key=lambda span: span["end"] - span["start"], default=None)


def spans_of(tagged: Tagged, classes: NDArray[np.int64], names: Sequence[str]) -> list[Span]:
    """The spans that classes of words make: a run of words of one class is one span."""
    runs: list[list[int]] = []
    for row, own in enumerate(classes.tolist()):
        if own in (OUTSIDE, UNKNOWN):
            continue
        if runs and runs[-1][-1] == row - 1 and classes[row - 1] == own:
            runs[-1].append(row)
        else:
            runs.append([row])
    return [
        {
            "start": tagged.places[run[0]][0],
            "end": tagged.places[run[-1]][1],
            "label": names[int(classes[run[0]]) - 1],
        }
        for run in runs
    ]
