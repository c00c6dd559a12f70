"""The settled labels with their texts, and with what each person said.

A text is as people saw it: after the edits, and of a long one the window. Spans count its code
points. Where several fields are shown, each stands after its name. People are named by their ids
in people.yaml, never by names or accounts.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from curate.agree.spec import AgreeSpec
from curate.agree.votes import Answer, collect
from curate.records import Kind
from curate.rounds.seen import Place, one_text, seen
from curate.rounds.views import View
from curate.workspace import Workspace

Row = Mapping[str, Any]
"""A row of the table `labels`."""


@dataclass(frozen=True)
class PersonSaid:
    """What one person answered."""

    annotator: str
    value: Any


@dataclass(frozen=True)
class Remark(PersonSaid):
    """What one person wrote as the answer to a question of comments."""

    question: str


@dataclass(frozen=True)
class SettledLabel:
    """One label of one text.

    `value` is None where it is undecided. `answers` are those it was settled from, `comments` what
    the same people wrote beside it. `start` and `end` are the window in the canonical text.
    """

    id: str
    question: str
    text: str
    value: Any
    undecided: bool
    votes: int
    confidence: float
    agreement: float
    disagreement: float | None
    answers: tuple[PersonSaid, ...]
    comments: tuple[Remark, ...]
    start: int | None
    end: int | None


def rows_of(workspace: Workspace) -> list[Row]:
    """The rows of `labels`, but for those that say whether one label of a question occurs."""
    rows = workspace.tables.read("labels").to_pylist()
    return [row for row in rows if ":" not in row["question"]]


def settled_labels(workspace: Workspace, rows: Iterable[Row]) -> list[SettledLabel]:
    """The labels of some rows of `labels`, in their order."""
    views, kinds = seen(workspace.rounds.all()), _kinds(workspace)
    answers, comments = _answers(workspace, kinds)
    return [_label(row, views, kinds, answers, comments) for row in rows]


def _label(
    row: Row,
    views: Mapping[Place, View],
    kinds: Mapping[str, Kind],
    answers: Mapping[tuple[Place, str], Sequence[Answer]],
    comments: Mapping[Place, Sequence[Answer]],
) -> SettledLabel:
    place = row["id"], row["start"], row["end"]
    view, kind = views.get(place, View({})), kinds.get(row["question"], "choice")
    value = None if row["value"] is None else view.shown(json.loads(row["value"]), kind)
    return SettledLabel(
        id=row["id"],
        question=row["question"],
        text=one_text(view.fields),
        value=value,
        undecided=bool(row["undecided"]),
        votes=row["votes"],
        confidence=row["confidence"],
        agreement=row["agreement"],
        disagreement=row.get("disagreement"),
        answers=tuple(
            PersonSaid(answer.annotator, view.shown(answer.value, kind))
            for answer in answers.get((place, row["question"]), ())
        ),
        comments=tuple(
            Remark(answer.annotator, answer.value, answer.question)
            for answer in comments.get(place, ())
        ),
        start=row["start"],
        end=row["end"],
    )


def _kinds(workspace: Workspace) -> dict[str, Kind]:
    return {question.name: question.kind for question in workspace.rounds.questions()}


def _answers(
    workspace: Workspace, kinds: Mapping[str, Kind]
) -> tuple[dict[tuple[Place, str], list[Answer]], dict[Place, list[Answer]]]:
    """The answers that labels were settled from, by place and question; the comments, by place."""
    stored = workspace.tables.made("labels")
    spec = AgreeSpec.model_validate(dict(stored.spec))
    answers: dict[tuple[Place, str], list[Answer]] = defaultdict(list)
    comments: dict[Place, list[Answer]] = defaultdict(list)
    for answer in collect(workspace):
        if not spec.counts(answer.annotator, answer.guideline):
            continue
        start, end = answer.shown.window or (None, None)
        place = answer.shown.document, start, end
        if answer.kind == "comment":
            comments[place].append(answer)
        elif answer.kind == kinds.get(answer.question):
            answers[place, answer.question].append(answer)
    return answers, comments
