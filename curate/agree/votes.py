"""Votes: which annotator gave which answer about which text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from curate.agree.truth.sets import ABSENT, PRESENT
from curate.records import Kind, Question
from curate.rounds import Round
from curate.rounds.taken_back import taken_back
from curate.rounds.views import View
from curate.workspace import Workspace


@dataclass(frozen=True)
class Shown:
    """What a task shows: a document, a window of it (half-open), or the members of a comparison.

    A comparison stands in the place of the document.
    """

    document: str
    members: tuple[str, ...] = ()
    window: tuple[int, int] | None = None


@dataclass(frozen=True)
class Answer:
    """A submitted answer, with its value decoded, to one question about one task.

    `kind` is that of the question when it was asked; a later form may ask it as another.
    `guideline` is the digest of the one in force.
    """

    task: str
    question: str
    annotator: str
    value: Any
    seconds: float | None
    shown: Shown
    kind: Kind | None = None
    guideline: str | None = None


def collect(workspace: Workspace, *, pilots: bool = False) -> list[Answer]:
    """The submitted answers of all rounds but pilots (or of pilots only).

    Answers to gold items are left out. For each (task, question, annotator) the newest round's
    answer counts; none where a later import takes it back.
    """
    newest: dict[tuple[str, str, str], Answer] = {}
    rounds = workspace.rounds.all()
    for place, round_ in enumerate(rounds):
        for key in taken_back(round_, rounds[:place]):
            newest.pop(key, None)
        if (round_.purpose == "pilot") != pilots or round_.push is None:
            continue
        tasks = {row["id"]: row for row in round_.sample().to_pylist()}
        questions = {question.name: question for question in round_.form.questions}
        marks = any(question.kind == "entities" for question in round_.form.questions)
        views = round_.views() if marks else {}
        for row in submitted(round_):
            task = tasks.get(row["id"], {})
            if task.get("kind") == "gold":
                continue
            key = (row["id"], row["question"], row["annotator"])
            shown, question = _shown(row["id"], task), questions.get(row["question"])
            value = trimmed(question, row["value"], views.get(row["id"]))
            kind = question.kind if question else None
            newest[key] = Answer(*key, value, row["seconds"], shown, kind, row["guideline"])
    return list(newest.values())


def trimmed(question: Question | None, value: Any, view: View | None) -> Any:
    """An answer for comparing: spans without the white space at their edges.

    They are stored as they were given.
    """
    if question is None or question.kind != "entities" or view is None:
        return value
    return [view.trimmed(span, question.fields[0]) for span in value]


def _shown(id: str, task: Mapping[str, Any]) -> Shown:
    members = tuple(task.get("members") or ())
    if len(members) != 1:
        return Shown(id, members)
    window = (task["start"], task["end"]) if task["start"] is not None else None
    return Shown(members[0], members, window)


def submitted(round_: Round) -> Iterator[dict[str, Any]]:
    """Yield a round's submitted answers that are not null, with their values decoded from JSON."""
    for row in round_.answers():
        if row["status"] == "submitted" and row["value"] is not None:
            yield {**row, "value": json.loads(row["value"])}


def occurrences(
    question: Question, answers: Sequence[Answer]
) -> Iterator[tuple[str, Question, list[Answer]]]:
    """Yield each label, the question whether it occurs, and the answers: `present` or `absent`.

    The labels are those of a question that has parts. Labels that the form does not offer any more
    were still said: they follow those that it offers.
    """
    if not question.parts():
        return
    said = {label for answer in answers for label in _labels(answer.value)}
    whole = replace(question, labels=(*question.labels, *sorted(said - {*question.labels})))
    for label, part in zip(whole.labels, whole.parts(), strict=True):
        yield label, part, [replace(answer, value=_occurs(label, answer)) for answer in answers]


def _occurs(label: str, answer: Answer) -> str:
    return PRESENT if label in _labels(answer.value) else ABSENT


def _labels(value: Sequence[Any]) -> set[str]:
    return {entry["label"] if isinstance(entry, dict) else entry for entry in value}
