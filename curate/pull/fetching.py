"""Fetch what is new on one project, and keep it append-only."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from curate.backends import Backend
from curate.people import accounts as accounts_
from curate.people import people
from curate.pull.answers import annotation, answer_row, checked, event, is_new, key_of, was_put_back
from curate.records import moment, now
from curate.rounds import Batch, Round
from curate.workspace import Workspace


@dataclass(frozen=True)
class Fetched:
    """What came home: answers new or changed, accounts that had no id, answers by the unasked."""

    new: int = 0
    accounts: int = 0
    unasked: int = 0

    @staticmethod
    def joined(parts: Iterable[Fetched]) -> Fetched:
        """Return the sums."""
        every = list(parts)
        return Fetched(
            sum(each.new for each in every),
            sum(each.accounts for each in every),
            sum(each.unasked for each in every),
        )


def fetch(workspace: Workspace, current: Round, backend: Backend, batch: Batch) -> Fetched:
    """Append a batch's answers that are new or changed, mapped back to the documents."""
    project = backend.open_project(batch.project)
    names = people.load(workspace.root).ids(project.backend)
    accounts = {id: account for account, id in names.items()}
    views, form, erased = current.views(), current.form, current.erased
    at_home = current.answers(by_project=True)
    before = {key_of(row): row for row in at_home if row["project"] == project.name}
    known = {
        (id, question, accounts.get(annotator, annotator)): annotation(row, form, views).mark
        for (id, question, annotator), row in before.items()
        if id not in erased  # their answers stay: that the server has none of them is meant
    }
    place = f"{project.key} {project.born}"  # a project made anew may have the old one's number
    label = " ".join(filter(None, ("fetching answers", batch.name)))
    with workspace.watch(label, None):
        pulled = backend.pull(project, cursor=current.cursors().get(place), known=known)
    given = {each.account for each in pulled.annotations}
    ids, added = accounts_.identify(workspace.root, project.backend, given)
    suggested = _suggested(current, batch)
    rows = [
        answer_row(checked(each, form, views), ids, current, batch)
        | {"blind": (each.id, each.question) not in suggested}
        for each in pulled.annotations
        if each.id not in erased
    ]
    seen = {event(row) for row in current.history()}
    news = [
        row
        for row in rows
        if is_new(row, before.get(key_of(row)), seen)
        and not was_put_back(row, before.get(key_of(row)), batch.restored)
    ]
    if news:
        cursors = {**current.cursors(), **({place: pulled.cursor} if pulled.cursor else {})}
        current.append([{**row, "at": row["at"] or moment(now())} for row in news], cursors)
    unasked = 0
    if batch.people is not None:
        unasked = len({row["id"] for row in news if row["annotator"] not in batch.people})
    return Fetched(len(news), added, unasked)


def _suggested(current: Round, batch: Batch) -> set[tuple[str, str]]:
    return {
        (row["id"], each["question"])
        for row in current.tasks()
        if row["batch"] == batch.name and row["suggestions"]
        for each in json.loads(row["suggestions"])
    }
