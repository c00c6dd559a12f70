"""The labels of documents as JSON: what a model predicts, and what people settled instead."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import tables
from curate.export.quoting import quoted
from curate.rounds.views import View
from curate.workspace import Workspace
from curate.workspace.documents import stored_edits, view_of

if TYPE_CHECKING:
    import pyarrow as pa

Label = dict[str, Any]
"""The label of one question: its value, the posterior, and `by` (people or model)."""


@dataclass(frozen=True)
class Predicted:
    """A question that a model answers in `scores`, and the values that an answer may take."""

    question: str
    values: tuple[str, ...]
    is_rating: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of `scores` that hold the value and the probabilities."""
        names = (f"{self.question}:{value}" for value in self.values)
        return (tables.predicted(self.question), *names)

    def texts(self, documents: pa.Table) -> list[str]:
        """The JSON of every document's label, with the question before it: `"q": {…}`."""
        value, *posterior = (documents[name].to_pylist() for name in self.columns)
        convert = float if self.is_rating else str
        words = {answer: quoted(convert(answer)) for answer in set(value)}
        rounded = [[round(share, 6) for share in shares] for shares in posterior]
        template = self._template()
        return [template % row for row in zip(map(words.get, value), *rounded, strict=True)]

    def _template(self) -> str:
        """The JSON of a label, with places for the value and the probabilities.

        `%r` writes a float as JSON does.
        """
        shares = ", ".join(f"{_escaped(value)}: %r" for value in self.values)
        label = f'{{"value": %s, "posterior": {{{shares}}}, "by": "model"}}'
        return f"{_escaped(self.question)}: {label}"


def _escaped(text: str) -> str:
    return quoted(text).replace("%", "%%")


def predictions(workspace: Workspace) -> tuple[Predicted, ...]:
    """The questions that `scores` answers; none without that table."""
    scores = workspace.tables.stored("scores")
    if scores is None:
        return ()
    facts = scores.made.facts
    is_rating = facts.get("kind") == "rating"
    return (Predicted(facts["question"], tuple(facts["values"]), is_rating),)


def label_texts(
    documents: pa.Table, predicted: Sequence[Predicted], settled: Path | None
) -> list[str]:
    """The JSON of every document's labels, by question.

    `documents` has the columns of `scores` and what a view is made of. `settled` is the table
    `labels`: a label of people replaces the model's.
    """
    parts = [question.texts(documents) for question in predicted]
    texts = [f"{{{', '.join(row)}}}" for row in zip(*parts, strict=True)]
    texts = texts or ["{}"] * documents.num_rows
    for row, labels in _settled(settled, documents).items():
        (document,) = documents.slice(row, 1).select(VIEWED).to_pylist()
        labels = {**json.loads(texts[row]), **labels}
        if document["edits"]:
            labels = _placed(labels, _view_of(document))
        texts[row] = quoted(labels)
    return texts


VIEWED = ["fields", "template", "media", "edits"]
"""The columns of documents that a view is made of: where its fields are, and where it was edited.

The one field `text` is left out, since that text is exported as it is.
"""


def _view_of(document: Mapping[str, Any]) -> View:
    edits = stored_edits(document["edits"])
    return view_of(document, edits) if document["fields"] else View({}, edits=edits)


def _settled(path: Path | None, documents: pa.Table) -> dict[int, dict[str, Label]]:
    """The labels of people by the row of their document, then by question."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    if path is None:
        return {}
    table = pq.read_table(path, columns=["id", "question", "value", "posterior", "undecided"])
    rows = pc.index_in(table["id"], value_set=documents["id"].combine_chunks())
    table = table.append_column("row", rows).filter(pc.is_valid(rows))
    labels: dict[int, dict[str, Label]] = {}
    for label in table.to_pylist():
        labels.setdefault(label["row"], {})[label["question"]] = {
            "value": None if label["undecided"] else json.loads(label["value"]),
            "posterior": dict(label["posterior"] or ()),
            "by": "people",
        } | ({"undecided": True} if label["undecided"] else {})
    return labels


def field_texts(documents: pa.Table) -> pa.Array:
    """The JSON of every document's fields after the edits; null for the one field `text`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = pc.indices_nonzero(pc.is_valid(documents["fields"]))
    texts: list[str | None] = [None] * documents.num_rows
    stored = documents.select(VIEWED).take(rows).to_pylist()
    for row, document in zip(rows.to_pylist(), stored, strict=True):
        texts[row] = quoted(dict(_view_of(document).fields))
    return pa.array(texts, pa.string())


def _placed(labels: Mapping[str, Label], view: View) -> dict[str, Label]:
    """The labels, with their spans moved to where the edited text has them.

    A span that an edit cuts has no place there. It is left out, and `unplaced` counts such spans.
    """
    placed: dict[str, Label] = {}
    for question, label in labels.items():
        value = label["value"]
        if isinstance(value, list) and value and isinstance(value[0], dict):
            spans = [moved for span in value if (moved := view.shown_span(span))]
            label = {**label, "value": spans}
            if len(spans) < len(value):
                label["unplaced"] = len(value) - len(spans)
        placed[question] = label
    return placed
