"""Bring a lost project back to its server, with the answers of the workspace."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from curate.backends import Backend
from curate.errors import DataError, ProjectMismatch
from curate.fetching.projects import fetch
from curate.people.users import Directory
from curate.push.first import logins_of, open_round, own_project
from curate.push.tasks import tasks_of
from curate.records import Annotation, Project
from curate.rounds import Batch, Round
from curate.workspace import Workspace


@dataclass(frozen=True)
class RestoreResult:
    """What was put back: projects created again, their tasks, and answers by annotator."""

    round: int
    projects: int
    tasks: int
    answers: int
    url: str


def restore(workspace: Workspace) -> RestoreResult:
    """Bring the newest round's projects back with their answers, so nobody labels twice.

    A project that exists gets back only what it has lost; what is new on it comes home first. After
    a kill, run it again. Raises DataError if the round is closed or has not been sent.
    """
    current = open_round(workspace)
    if current.push is None:
        raise DataError(f"round {current.number} has not been sent", hint="run `curate push`")
    backend = workspace.connect(current.sent["spec"]["backend"])
    directory = Directory.of(workspace.root, backend)
    current = workspace.rounds.numbered(current.number)
    projects_created = answers_restored = task_count = 0
    urls = []
    for batch in current.batches:
        project, is_new = _open_or_create(workspace, backend, batch)
        if not is_new:
            fetch(workspace, current, backend, batch, directory, restoring=True)
            current = workspace.rounds.numbered(current.number)
        urls.append(project.url)
        answers = _server_answers(current, batch, directory)
        logins = logins_of(backend, batch, directory)
        backend.admit(project, sorted({*logins, *(answer.account for answer in answers)}))
        tasks = tasks_of(current, batch.name)
        with workspace.watch("putting answers back", None):
            answers_restored += backend.restore(project, tasks, answers)
        # The server's clock is finer than ours.
        after = datetime.now(UTC) + timedelta(seconds=1)
        current.replace_project(batch.name, project, restored=after.isoformat())
        projects_created += is_new
        task_count += len(tasks)
    return RestoreResult(current.number, projects_created, task_count, answers_restored, urls[0])


def _open_or_create(workspace: Workspace, backend: Backend, batch: Batch) -> tuple[Project, bool]:
    """The batch's project, and whether it was created again because it was lost."""
    try:
        return backend.open_project(batch.project), False
    except ProjectMismatch:
        lost = batch.project
        project = own_project(
            workspace, backend, lost.name, lost.form, lost.overlap, batch.guidelines
        )
        return project, True


def _server_answers(current: Round, batch: Batch, directory: Directory) -> list[Annotation]:
    """The batch's answers as the server had them: by account, with values as on the page.

    Those of people who have left stay at home: the server has no account for them.
    """
    left = directory.left()
    accounts = {id: next(iter(directory.logins([id])), id) for id in _annotators(current)}
    views, form, erased = current.views(), current.form, current.erased

    def value_on_page(row: Mapping[str, Any]) -> Any:
        if row["value"] is None:
            return None
        kind = form.question(row["question"]).kind
        return views[row["id"]].shown(json.loads(row["value"]), kind)

    return [
        Annotation(
            row["id"],
            row["question"],
            accounts[row["annotator"]],
            value_on_page(row),
            row["status"],
            row["at"].isoformat(),
            row["seconds"],
        )
        for row in current.answers(by_project=True)
        if row["project"] == batch.project.name
        and row["id"] not in erased
        and row["annotator"] not in left
        and row["status"] in ("submitted", "skipped", "discarded")
    ]


def _annotators(current: Round) -> set[str]:
    return {row["annotator"] for row in current.answers(by_project=True)}
