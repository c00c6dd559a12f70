"""Entity F1: predicted spans against those that people marked, by `nervaluate`.

The schemes are those of SemEval-2013 task 9.1. A predicted span is paired with one span at most:

| scheme | correct | incorrect | partial |
|---|---|---|---|
| strict | same borders and label | overlaps, else | – |
| exact | same borders | overlaps, else | – |
| partial | same borders | – | overlaps |
| type | overlaps, same label | overlaps, other label | – |

What is paired with nothing is spurious, or missed. precision = (correct + partial/2) / predicted
spans, recall = (correct + partial/2) / marked spans, and F1 = 2 (correct + partial/2) / (predicted
+ marked). The trivial baseline predicts no span: its F1 is 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from curate.metrics.bootstrap import Measures, ratio_of_sums
from curate.metrics.measures import Measure, beside, over

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Spans = Sequence[Mapping[str, Any]]
"""Spans of a text: `start`, `end` (one past the last character) and `label`."""

SCHEMES = {"strict": "strict", "exact": "exact", "partial": "partial", "type": "ent_type"}
"""Our names of the schemes, and those of `nervaluate`."""

COUNTS = ("correct", "incorrect", "partial", "missed", "spurious")


def of_spans(
    marked: Sequence[Spans], predicted: Sequence[Spans], labels: Sequence[str]
) -> tuple[Measure, ...]:
    """F1 of every scheme, strict precision and recall, and strict F1 of each label.

    `marked` and `predicted` hold the spans of the same texts, one entry a text; texts are what the
    intervals draw.
    """
    import numpy as np

    parts = np.array(
        [_parts(one, other, labels) for one, other in zip(marked, predicted, strict=True)]
    )
    names = (
        *(f"{scheme} F1" for scheme in SCHEMES),
        *("strict precision", "strict recall"),
        *(f"strict F1 of {label}" for label in labels),
    )
    return beside(names, len(marked), _figures(parts), None)


def _parts(marked: Spans, predicted: Spans, labels: Sequence[str]) -> Array:
    """The COUNTS of a text under each scheme, then the strict ones of each label."""
    import numpy as np

    of_labels = [counts(_only(marked, one), _only(predicted, one), [one])[:1] for one in labels]
    return np.concatenate([counts(marked, predicted, labels), *of_labels])


def _only(spans: Spans, label: str) -> Spans:
    return [span for span in spans if span["label"] == label]


def counts(marked: Spans, predicted: Spans, labels: Sequence[str]) -> Array:
    """The COUNTS of a text under each scheme: schemes x counts."""
    import numpy as np

    if not (marked or predicted):
        return np.zeros((len(SCHEMES), len(COUNTS)))
    from nervaluate import Evaluator

    own, other = ([_closed(span) for span in spans] for spans in (marked, predicted))
    result = Evaluator([own], [other], list(labels), loader="dict").evaluate()["overall"]
    return np.array(
        [[getattr(result[name], count) for count in COUNTS] for name in SCHEMES.values()], float
    )


def _closed(span: Mapping[str, Any]) -> dict[str, Any]:
    """A span with its last character as its end: so `nervaluate` compares them."""
    return {"label": span["label"], "start": span["start"], "end": span["end"] - 1}


def _figures(parts: Array) -> Measures:
    """From counts of texts to F1 of every row of `parts`; precision and recall of the first."""
    import numpy as np

    sums, rows = ratio_of_sums(parts.reshape(len(parts), -1)), parts.shape[1]

    def measures(counts: Array) -> Array:
        own = np.moveaxis(sums(counts).reshape(-1, rows, len(COUNTS)), 2, 0)
        correct, incorrect, partial, missed, spurious = own
        right, both = correct + partial / 2, correct + incorrect + partial
        of_predicted, of_marked = both + spurious, both + missed
        f1 = over(2 * right, of_predicted + of_marked)
        precision, recall = over(right, of_predicted), over(right, of_marked)
        first = len(SCHEMES)
        return np.hstack([f1[:, :first], precision[:, :1], recall[:, :1], f1[:, first:]])

    return measures
