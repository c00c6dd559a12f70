"""Send a round to people: the same push twice is one push.

sample ──push──▶ the round's projects on their server
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from curate.backends import Backend
from curate.errors import DataError
from curate.forms import load_form
from curate.people import accounts as accounts_
from curate.people import people
from curate.push.first import check_fields, check_gold, freeze
from curate.push.guidelines import changes, read_guidelines
from curate.push.spec import PushSpec
from curate.push.tasks import tasks_of
from curate.rounds import Batch, Round
from curate.workspace import Workspace

READS = ("sample",)
WRITES = ("tasks", "project")


@dataclass(frozen=True)
class Sent:
    """What was sent of one part of a round, and where its people find it."""

    batch: str | None
    people: int | None
    project: str
    url: str
    tasks: int
    sent: int


@dataclass(frozen=True)
class PushResult:
    """What was sent, and where people find it; `batches` where the round is split."""

    round: int
    project: str
    url: str
    tasks: int
    sent: int
    suggestions: int = 0
    batches: tuple[Sent, ...] = ()
    notes: tuple[str, ...] = ()


def run(workspace: Workspace, spec: PushSpec) -> PushResult:
    """Send the newest round's tasks; what is there already is left alone.

    The first push freezes form, guidelines, overlap, backend, suggestions and who is asked what.
    Settings that changed since act on the next round, and the result says so.
    """
    current = open(workspace)
    form, guidelines = load_form(spec.form, workspace.root), read_guidelines(workspace, spec)
    check_fields(form, current)
    notes: tuple[str, ...] = ()
    if current.push is None:
        check_gold(form, current)
        notes = freeze(workspace, spec, current, form, guidelines)
    notes += changes(current, spec, form, guidelines)
    backend = workspace.connect(current.push["spec"]["backend"])
    sent = tuple(_send(workspace, backend, current, batch) for batch in current.batches)
    return PushResult(
        round=current.number,
        project=sent[0].project,
        url=sent[0].url,
        tasks=len(current.sample()),
        sent=sum(each.sent for each in sent),
        suggestions=sum(row["suggestions"] is not None for row in current.tasks()),
        batches=sent if len(sent) > 1 or sent[0].batch else (),
        notes=notes,
    )


def open(workspace: Workspace) -> Round:
    current = workspace.round
    if current.closed:
        raise DataError(
            f"round {current.number} is closed", hint="open another with `curate run --next-round`"
        )
    return current


def _send(workspace: Workspace, backend: Backend, current: Round, batch: Batch) -> Sent:
    project = backend.open_project(batch.project)
    backend.admit(project, accounts(workspace.root, backend, batch.people))
    tasks = tasks_of(current, batch.name)
    sent = 0
    with workspace.watch(" ".join(filter(None, ("sending", batch.name))), len(tasks)) as advance:
        for _ in backend.push(project, tasks):
            sent += 1
            advance(1)
    number = None if batch.people is None else len(batch.people)
    return Sent(batch.name, number, project.name, project.url, len(tasks), sent)


def accounts(root: Path, backend: Backend, ids: Collection[str] | None) -> list[str]:
    """Return the accounts of people on a backend, those of everyone who is asked for None."""
    known = people.load(root).ids(backend.name)
    if ids is None:
        here = set(backend.accounts())
        ids = [p.id for p in accounts_.asked(root, {known[a] for a in here if a in known})]
    return sorted(account for account, id in known.items() if id in ids)
