"""The questions whose labels stand in an export, and the Arrow type of each one's labels.

    kind       value            posterior
    choice     string           {value: share}
    choices    list of strings  {value: share}
    rating     number           {value: share}
    entities   list of spans    list of spans with a share
    regions    list of regions  list of regions with a share
    boxes      list of boxes    list of boxes with a share

A posterior has the same keys in every row, so every shard has the same schema. A comparison is of
two documents, and a comment settles nothing: neither is a label of a document.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate.areas import EDGES, kind_of
from curate.export.drawn import has_scores
from curate.records import MARKS, Kind, Question
from curate.workspace import Workspace
from curate.workspace.predictions import predicted_questions

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Asked:
    """A question with its kind, and the values that its posteriors give a share, in order.

    Spans have no such values. `predicted` are those for which a model gives probabilities, in
    `scores`; none if it does not answer the question.
    """

    name: str
    kind: Kind
    values: tuple[str, ...] = ()
    predicted: tuple[str, ...] = ()

    def type(self) -> pa.DataType:
        """The type of the question's label."""
        import pyarrow as pa

        posterior = [("posterior", self.posterior_type())] if self.has_posterior else []
        unplaced = [("unplaced", pa.int64())] if self.kind == "entities" else []
        window = pa.struct([("start", pa.int64()), ("end", pa.int64())])
        about = [("by", pa.string()), ("undecided", pa.bool_()), ("window", window), *unplaced]
        return pa.struct([("value", self.value_type()), *posterior, *about])

    @property
    def has_posterior(self) -> bool:
        """Whether any label has one: Parquet has no struct without keys."""
        return self.kind in MARKS or bool(self.values)

    def value_type(self) -> pa.DataType:
        """The type of a value."""
        import pyarrow as pa

        if self.kind in MARKS:
            return pa.list_(pa.struct(_mark(self.kind)))
        types = {"rating": pa.float64(), "choices": pa.list_(pa.string())}
        return types.get(self.kind, pa.string())

    def posterior_type(self) -> pa.DataType:
        """The type of a posterior."""
        import pyarrow as pa

        if self.kind in MARKS:
            return pa.list_(pa.struct([*_mark(self.kind), ("share", pa.float64())]))
        return pa.struct([(value, pa.float64()) for value in self.values])


def _mark(kind: Kind) -> list[tuple[str, pa.DataType]]:
    """The columns of a mark: code points of a text are whole, seconds and percent are not."""
    import pyarrow as pa

    places = [(edge, pa.float64()) for edge in EDGES.get(kind, ())]
    places = places or [("start", pa.int64()), ("end", pa.int64())]
    return [*places, ("label", pa.string()), ("field", pa.string())]


def labels_type(asked: Iterable[Asked]) -> pa.DataType:
    """The type of the column `labels`: a struct of questions; null if nothing was asked."""
    import pyarrow as pa

    fields = [(question.name, question.type()) for question in asked]
    return pa.struct(fields) if fields else pa.null()


def asked_questions(workspace: Workspace) -> tuple[Asked, ...]:
    """The questions that `scores` answers, then those that people settled."""
    predicted = _predicted(workspace)
    forms = {
        question.name: question
        for whole in workspace.rounds.questions()
        for question in (whole, *whole.parts())
    }
    questions = {question.name: question for question in predicted}
    for name, (values, shares) in _settled(workspace).items():
        kind = forms[name].kind if name in forms else _kind_of(values)
        if kind != "comment" and not (kind == "preference" and _is_of_pairs(forms[name], shares)):
            questions[name] = _asked(name, kind, questions.get(name), forms.get(name), shares)
    return tuple(questions.values())


def _is_of_pairs(form: Question, shares: Iterable[str]) -> bool:
    """Whether documents were compared with each other: no document has such a label.

    Otherwise two fields of one document were compared, and the form names them.
    """
    return not {*shares} <= {*form.labels}


def _asked(
    name: str, kind: Kind, model: Asked | None, form: Question | None, shares: Iterable[str]
) -> Asked:
    """A question that people settled: its values are the model's, the form's, and all others."""
    predicted = model.predicted if model else ()
    offered = form.labels if form else ()
    values = () if kind in MARKS else (*predicted, *offered, *shares)
    return Asked(name, kind, tuple(dict.fromkeys(values)), predicted)


def _predicted(workspace: Workspace) -> tuple[Asked, ...]:
    if not has_scores(workspace):
        return ()
    return tuple(
        Asked(own.question, own.kind, own.values, own.values)
        for own in predicted_questions(workspace.tables).values()
        if own.makes_groups
    )


def _settled(workspace: Workspace) -> dict[str, tuple[list[Any], list[str]]]:
    """By question: the values that people settled, and what their posteriors give a share."""
    if workspace.tables.stored("labels") is None:
        return {}
    columns = ("question", "value", "posterior")
    settled: dict[str, tuple[list[Any], list[str]]] = {}
    for row in workspace.tables.read("labels", columns).to_pylist():
        values, shares = settled.setdefault(row["question"], ([], []))
        values += [] if row["value"] is None else [json.loads(row["value"])]
        shares += [share for share, _ in row["posterior"] or ()]
    return settled


def _kind_of(values: Iterable[Any]) -> Kind:
    """The kind of a question that no form has any more, by its values."""
    for value in values:
        if isinstance(value, list) and value:
            return kind_of(value[0]) if isinstance(value[0], Mapping) else "choices"
        if isinstance(value, int | float):
            return "rating"
        if isinstance(value, str):
            return "choice"
    return "choices" if any(isinstance(value, list) for value in values) else "choice"
