"""Fetch the new answers of one project, and store them append-only."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from curate.backends import Backend
from curate.fetching.answers import (
    annotation_of,
    answer_row,
    check_answer,
    event_of,
    is_new,
    key_of,
    was_put_back,
)
from curate.fetching.media import media_shown
from curate.people.users import Directory
from curate.records import moment, now
from curate.rounds import Batch, Round
from curate.rounds.answers import said, submissions
from curate.workspace import Workspace


@dataclass(frozen=True)
class Fetched:
    """What came home: new or changed submissions, new accounts, texts answered by people not asked.

    `altered` counts the projects whose form was changed on the server, `withdrawn` the texts and
    people of answers that are gone from it.
    """

    new: int = 0
    accounts: int = 0
    unasked: int = 0
    altered: int = 0
    withdrawn: int = 0

    @staticmethod
    def joined(parts: Iterable[Fetched]) -> Fetched:
        """The sums over the parts of a round."""
        counts = list(parts)
        return Fetched(
            sum(count.new for count in counts),
            sum(count.accounts for count in counts),
            sum(count.unasked for count in counts),
            sum(count.altered for count in counts),
            sum(count.withdrawn for count in counts),
        )


@dataclass(frozen=True)
class Incoming:
    """The answers of a project that are new or changed, as rows, and what was read with them.

    `accounts` are the people of all answers that were read, `altered` says that the form was
    changed on the server.
    """

    rows: list[dict[str, Any]]
    accounts: set[str]
    cursors: dict[str, str]
    altered: bool


def incoming(
    current: Round,
    backend: Backend,
    batch: Batch,
    directory: Directory,
    *,
    whole: bool = False,
    restoring: bool = False,
) -> Incoming:
    """Read the new and changed answers of a batch, mapped back to the documents; store nothing.

    See `fetch`. Raises ProjectMismatch if the project is gone, or if it lost too many answers.
    """
    project = backend.open_project(batch.project)
    views, form, erased = current.views(), current.form, current.erased
    answers = current.answers(by_project=True)
    before = {key_of(row): row for row in answers if row["project"] == project.name}
    marks = {
        key: annotation_of(row, form, views).mark
        for key, row in before.items()
        if key[0] not in erased  # the server lacks them on purpose: no answer is withdrawn
    }
    history = current.history()
    place = f"{project.key} {project.born}"  # a new project may get the key of an old one
    pulled = backend.pull(
        project,
        cursor=None if whole or restoring else current.cursors().get(place),
        known=marks,
        authors=replace(directory.authors(), said=lambda: _said(history, current, project.name)),
        accept_losses=restoring,
    )
    suggestions, media = _suggestion_keys(current, batch), media_shown(current)
    rows = [
        answer_row(check_answer(answer, form, views, media), {}, current, batch)
        | {"blind": (answer.id, answer.question) not in suggestions}
        for answer in pulled.annotations
        if answer.id not in erased and not (restoring and answer.status == "withdrawn")
    ]
    rows = [row for row in rows if said(row) not in current.taken_down.answers]
    events = {event_of(row) for row in history}
    new_rows = [
        _timed(row, before.get(key_of(row)))
        for row in rows
        if is_new(row, before.get(key_of(row)), events)
        and not was_put_back(row, before.get(key_of(row)), batch.restored)
    ]
    cursors = {**current.cursors(), **({place: pulled.cursor} if pulled.cursor else {})}
    people = {answer.account for answer in pulled.annotations}
    return Incoming(new_rows, people, cursors, project.altered)


def fetch(
    workspace: Workspace,
    current: Round,
    backend: Backend,
    batch: Batch,
    directory: Directory,
    *,
    whole: bool = False,
    restoring: bool = False,
) -> Fetched:
    """Append the new and changed answers of a batch, mapped back to the documents.

    `whole` reads everything, whatever was read before. So does `restoring`, which withdraws
    nothing: what is gone is to be put back. Raises ProjectMismatch if the project is gone, or if it
    lost too many answers.
    """
    label = " ".join(filter(None, ("fetching answers", batch.name)))
    with workspace.watch(label, None):
        new = incoming(current, backend, batch, directory, whole=whole, restoring=restoring)
    added = directory.enrol(new.accounts)
    directory.remember({row["annotator"] for row in new.rows})
    if new.rows:
        current.append(new.rows, new.cursors)
    unasked = 0
    if batch.people is not None:
        unasked = len({row["id"] for row in new.rows if row["annotator"] not in batch.people})
    gone = {(row["id"], row["annotator"]) for row in new.rows if row["status"] == "withdrawn"}
    return Fetched(len(submissions(new.rows)), added, unasked, int(new.altered), len(gone))


def _said(
    history: Iterable[Mapping[str, Any]], current: Round, project: str
) -> dict[tuple[str, str, str], frozenset[str]]:
    """Who ever gave an answer in a project, by its task, question and mark."""
    views, form = current.views(), current.form
    said: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for row in history:
        if row["project"] == project and row["id"] not in current.erased:
            mark = annotation_of(row, form, views).mark
            said[row["id"], row["question"], mark].add(row["annotator"])
    return {key: frozenset(people) for key, people in said.items()}


def _timed(row: dict[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
    """A new answer with its time, now if it has none of its own, and never before the last.

    After a clock was set back, the new answer would else be hidden behind the one it replaces.
    """
    times = [row["at"] or moment(now()), before and before["at"]]
    return {**row, "at": max(filter(None, times))}


def _suggestion_keys(current: Round, batch: Batch) -> set[tuple[str, str]]:
    """The task and the question of every suggestion that the batch was sent with."""
    return {
        (row["id"], suggestion["question"])
        for row in current.tasks()
        if row["batch"] == batch.name and row["suggestions"]
        for suggestion in json.loads(row["suggestions"])
    }
