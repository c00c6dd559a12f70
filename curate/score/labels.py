"""The labels of one question that heads learn from: documents or comparisons, and posteriors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.errors import NothingToDo
from curate.forms.reading import TIE
from curate.metrics import SAME, leaders
from curate.records import Question
from curate.score.labelled import Labelled
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MIN_LABELS = 10

MOSTLY = 0.5
"""A label is learned from if more of its posterior than this is on values still offered."""

SIDES = ("first", "second")
"""The values of a comparison: which of its two documents, sorted by id, is preferred."""


@dataclass(frozen=True)
class Answered:
    """What people answered about a document or a comparison: a posterior (value → probability).

    It is not `settled` where people left the answer undecided. `members` are the two documents of
    a comparison, sorted; else the one document.
    """

    members: tuple[str, ...]
    posterior: dict[str, float]
    settled: bool

    def offered(self, values: tuple[str, ...]) -> float:
        """The probability of all values that the form still offers."""
        return sum(self.posterior.get(value, 0.0) for value in values)

    def settles(self, values: tuple[str, ...]) -> bool:
        """Whether it is settled, on a value that the form still offers."""
        best = max(self.posterior.values())
        return self.settled and any(
            self.posterior.get(value, 0.0) > best - SAME for value in values
        )


@dataclass(frozen=True)
class Labels:
    """What heads learn of one question, in the order of the labelled documents.

    `members` are rows of the labelled documents: labels x 1, or x 2 for comparisons. `truth` holds
    posteriors, labels x `values`. Labels that are not `settled` count by their posterior alone.
    `lost` counts labels of documents that `clean` has dropped.
    """

    question: Question
    values: tuple[str, ...]
    ids: tuple[str, ...]
    members: NDArray[np.int64]
    truth: NDArray[np.float64]
    settled: NDArray[np.bool_]
    lost: int

    @property
    def is_of_documents(self) -> bool:
        """Whether a label is of one document, not of a comparison of two."""
        return self.members.shape[1] == 1


def values_of(question: Question) -> tuple[str, ...]:
    """The values of a question's posterior: those of the form; for comparisons first and second."""
    if question.kind == "preference":
        return (*SIDES, *(TIE for label in question.labels if label == TIE))
    return question.labels


def labels_of(question: Question, answered: Mapping[str, Answered], labelled: Labelled) -> Labels:
    """The labels of kept documents that are not held out.

    Raises NothingToDo if fewer than 10 are settled, or if all of these are the same.
    """
    import numpy as np

    values, row_of = values_of(question), labelled.row_of()
    kept = {
        id: one for id, one in answered.items() if all(member in row_of for member in one.members)
    }
    learnable = {id: one for id, one in kept.items() if one.offered(values) > MOSTLY}
    ids = sorted(learnable, key=lambda id: (*map(row_of.__getitem__, learnable[id].members), id))
    truth = _truth([learnable[id].posterior for id in ids], values)
    settled = np.array([learnable[id].settles(values) for id in ids], bool)
    held_out = sum(
        any(member in labelled.held_out for member in one.members) for one in answered.values()
    )
    lost = len(answered) - held_out - len(kept)
    unfit = {
        "dropped by `clean`": lost,
        "held out": held_out,
        "of values that the form offers no more": len(kept) - len(learnable),
        "undecided": int((~settled).sum()),
    }
    _refuse_uninformative(truth[settled], question, unfit)
    members = [[row_of[member] for member in learnable[id].members] for id in ids]
    return Labels(question, values, tuple(ids), np.array(members, np.int64), truth, settled, lost)


def read_answered(workspace: Workspace, question: Question) -> dict[str, Answered]:
    """What people answered to a question, by document or comparison.

    Whether a label occurs is learned from texts that people saw whole. Windows would teach of those
    texts alone that have it. Of comparisons only those of two documents are learned from, not of
    two fields of one document.
    """
    import pyarrow.compute as pc

    labels = workspace.tables.read("labels")
    labels = labels.filter(pc.equal(labels["question"], question.name))
    if question.is_part:
        labels = labels.filter(pc.is_null(labels["start"]))
    names = ("id", "posterior", "undecided")
    rows = zip(*(labels[name].to_pylist() for name in names), strict=True)
    if question.kind != "preference":
        return {
            id: Answered((id,), dict(posterior), not undecided) for id, posterior, undecided in rows
        }
    compared = _compared(workspace)
    return {
        id: Answered(compared[id], _by_place(dict(posterior), compared[id]), not undecided)
        for id, posterior, undecided in rows
        if id in compared
    }


def _compared(workspace: Workspace) -> dict[str, tuple[str, ...]]:
    """The two documents of every comparison, sorted."""
    return {
        task: tuple(sorted(members))
        for round_ in workspace.rounds.all()
        for task, members in round_.documents().items()
        if len(members) == len(SIDES)
    }


def _by_place(posterior: dict[str, float], members: tuple[str, ...]) -> dict[str, float]:
    place_of = dict(zip(members, SIDES, strict=True))
    return {place_of.get(value, value): share for value, share in posterior.items()}


def _truth(posteriors: list[dict[str, float]], values: tuple[str, ...]) -> NDArray[np.float64]:
    """The posteriors as an array, documents x values."""
    import numpy as np

    rows = [[posterior.get(value, 0.0) for value in values] for posterior in posteriors]
    truth = np.array(rows, np.float64).reshape(-1, len(values))
    return np.asarray(truth / truth.sum(axis=1, keepdims=True))


def _refuse_uninformative(
    settled: NDArray[np.float64], question: Question, unfit: Mapping[str, int]
) -> None:
    """Raise NothingToDo if settled labels, documents x values, teach nothing.

    `unfit` counts the other labelled documents, by what keeps them from being learned.
    """
    import numpy as np

    if len(settled) < MIN_LABELS:
        nothing = f"nobody has answered {question.name}: there is nothing to learn from"
        if question.kind == "preference":
            nothing = f"{question.name} compared no two documents: there is nothing to learn from"
        few = f"{len(settled)} labelled documents are too few to learn from{_besides(unfit)}"
        raise NothingToDo(
            few if len(settled) or any(unfit.values()) else nothing,
            hint=f"label at least {MIN_LABELS}"
            + (", and show each text whole, not a window of it" if question.is_part else ""),
        )
    if len(np.unique(leaders(settled), axis=0)) < 2:
        raise NothingToDo(
            f"all labels of {question.name} are the same: there is nothing to learn",
            hint="label more texts, or sample them with another strategy",
        )


def _besides(unfit: Mapping[str, int]) -> str:
    """What else is labelled, in words."""
    counts = ", ".join(f"{count:,} {why}" for why, count in unfit.items() if count)
    return f" (not counted: {counts})" if counts else ""
