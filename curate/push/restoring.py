"""Bring a lost project back to its server, with the answers that are at home."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from curate.backends import Backend
from curate.errors import DataError, ProjectMismatch
from curate.people import people
from curate.people.accounts import accounts_of
from curate.push.first import open_round
from curate.push.tasks import tasks_of
from curate.records import Annotation, Project
from curate.rounds import Batch, Round
from curate.workspace import Workspace


@dataclass(frozen=True)
class RestoreResult:
    """What was put back: projects made anew, tasks, and answers under their annotators."""

    round: int
    projects: int
    tasks: int
    answers: int
    url: str


def restore(workspace: Workspace) -> RestoreResult:
    """Bring the newest round's projects back with the answers at home, so nobody labels twice.

    A project that is there gets back only what it has lost. After a kill, run it again.
    """
    current = open_round(workspace)
    if current.push is None:
        raise DataError(f"round {current.number} has not been sent", hint="run `curate push`")
    backend = workspace.connect(current.sent["spec"]["backend"])
    anew = answers = tasks = 0
    urls = []
    for batch in current.batches:
        project, is_new = _found_or_made(backend, batch)
        urls.append(project.url)
        given = _at_home(workspace, current, batch)
        admitted = accounts_of(workspace.root, backend, batch.people)
        backend.admit(project, sorted({*admitted, *(each.account for each in given)}))
        asked = tasks_of(current, batch.name)
        with workspace.watch("putting answers back", None):
            answers += backend.restore(project, asked, given)
        after = datetime.now(UTC) + timedelta(
            seconds=1
        )  # the server's clock counts finer than ours
        current.replace_project(batch.name, project, restored=after.isoformat())
        anew, tasks = anew + is_new, tasks + len(asked)
    return RestoreResult(current.number, anew, tasks, answers, urls[0])


def _found_or_made(backend: Backend, batch: Batch) -> tuple[Project, bool]:
    try:
        return backend.open_project(batch.project), False
    except ProjectMismatch:
        lost = batch.project
        made = backend.ensure_project(
            lost.name, lost.form, overlap=lost.overlap, guidelines=batch.guidelines
        )
        return made, True


def _at_home(workspace: Workspace, current: Round, batch: Batch) -> list[Annotation]:
    """Return the batch's answers as the server had them: by account, as the page shows them."""
    ids = people.load(workspace.root).ids(batch.project.backend)
    names = {id: account for account, id in ids.items()}
    views, form, erased = current.views(), current.form, current.erased

    def shown(row: Mapping[str, Any]) -> Any:
        if row["value"] is None:
            return None
        kind = form.question(row["question"]).kind
        return views[row["id"]].shown(json.loads(row["value"]), kind)

    return [
        Annotation(
            row["id"],
            row["question"],
            names.get(row["annotator"], row["annotator"]),
            shown(row),
            row["status"],
            row["at"].isoformat(),
            row["seconds"],
        )
        for row in current.answers(by_project=True)
        if row["project"] == batch.project.name
        and row["id"] not in erased
        and row["status"] in ("submitted", "skipped", "discarded")
    ]
