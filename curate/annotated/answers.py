"""The labels of one question, as arrays."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from curate.records import Question
from curate.rounds.design import Window

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Answers:
    """The labels of a question, one row a document, sorted by id.

    values: those of the form, then others that people gave. posterior: documents x values. votes:
    the answers that each rests on. windows: the part that people saw, by document; None is the
    whole text.
    """

    question: Question
    values: tuple[str, ...]
    ids: tuple[str, ...]
    posterior: Array
    votes: NDArray[np.int64]
    windows: Mapping[str, Window | None]

    @property
    def is_rating(self) -> bool:
        """Whether a mean is estimated, not shares."""
        return self.question.kind == "rating"

    def only(self, ids: Container[str]) -> Answers:
        """Those of some documents."""
        rows = [row for row, id in enumerate(self.ids) if id in ids]
        kept = tuple(self.ids[row] for row in rows)
        return replace(self, ids=kept, posterior=self.posterior[rows], votes=self.votes[rows])

    def rows(self, ids: Sequence[str]) -> NDArray[np.int64]:
        """The row of each of these documents."""
        import numpy as np

        place = {id: row for row, id in enumerate(self.ids)}
        return np.array([place[id] for id in ids], np.int64)


def estimable(questions: Sequence[Question]) -> list[Question]:
    """The questions with shares or a mean: choices, ratings, and whether a label occurs.

    A comparison is about two documents, so it has neither.
    """
    whole = [question for question in questions if question.kind in ("choice", "rating")]
    return [*whole, *(part for question in questions for part in question.parts())]


def answers_of(question: Question, labels: pa.Table) -> Answers:
    """The labels of a question, from the rows of the table `labels`.

    Whether a label occurs is known from whole texts alone: a window that lacks it says nothing of
    the rest.
    """
    import numpy as np
    import pyarrow.compute as pc

    own = labels.filter(pc.equal(labels["question"], question.name)).sort_by("id")
    if question.is_part:
        own = own.filter(pc.is_null(own["start"]))
    posteriors = [dict(posterior) for posterior in own["posterior"].to_pylist()]
    others = {value for posterior in posteriors for value in posterior} - {*question.labels}
    values = (*question.labels, *sorted(others))
    shares = np.array([[row.get(value, 0.0) for value in values] for row in posteriors], float)
    shares = shares.reshape(-1, len(values))
    ids = own["id"].to_pylist()
    return Answers(
        question,
        values,
        tuple(ids),
        shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-12),
        own["votes"].to_numpy().astype(np.int64),
        dict(zip(ids, map(_window, own["start"].to_pylist(), own["end"].to_pylist()), strict=True)),
    )


def _window(start: Any, end: Any) -> Window | None:
    return None if start is None else (start, end)
