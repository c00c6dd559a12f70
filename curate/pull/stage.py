"""Bring answers home, append-only: nothing that a person said is overwritten or dropped.

the round's project ──pull──▶ annotations
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from curate.backends import Backend
from curate.errors import DataError
from curate.people import accounts, people
from curate.pull.fetching import Fetched, fetch
from curate.pull.spec import PullSpec
from curate.rounds import Batch, Round
from curate.rounds.standing import Standing, close, standing
from curate.stage import Stage, if_people_are_asked
from curate.workspace import Workspace

READS = ("project",)
WRITES = ("annotations",)


@dataclass(frozen=True)
class PullResult:
    """What came home, and how far the round is."""

    round: int
    new: int
    statuses: dict[str, int]
    rejected: dict[str, int]
    complete: int
    tasks: int
    done: bool
    notes: tuple[str, ...] = ()


def run(workspace: Workspace, spec: PullSpec) -> PullResult:
    """Pull what is new in the newest round, and close the round if it is done."""
    current = workspace.rounds.current()
    backend = _connected(workspace, current)
    fetched = Fetched.joined(fetch(workspace, current, backend, b) for b in current.batches)
    state = standing(current, {b.name: _people(workspace, backend, b) for b in current.batches})
    why = _done(state, spec.enough)
    if why and not current.closed:
        close(current, why)
    return summarize(current, fetched, state, done=bool(why))


def close_round(workspace: Workspace) -> PullResult:
    """End the newest round early: what was answered comes home first, the rest is withdrawn."""
    current = workspace.rounds.current()
    if current.closed:
        raise DataError(f"round {current.number} is closed already")
    fetched = Fetched()
    if current.push is not None:
        backend = _connected(workspace, current)
        fetched = Fetched.joined(fetch(workspace, current, backend, b) for b in current.batches)
    close(current, "closed by hand")
    return summarize(current, fetched, standing(current, {}), done=True)


def _people(workspace: Workspace, backend: Backend, batch: Batch) -> set[str] | None:
    """Return the ids of those who are asked today; None where nobody is known.

    A folder has no accounts but those seen.
    """
    listed = {person.id for person in people.load(workspace.root).people}
    if batch.people is not None:
        ids = set(batch.people)
    elif backend.name == "folder" and listed:
        ids = listed
    else:
        here = backend.progress(batch.project).accounts
        names, _ = accounts.identify(workspace.root, backend.name, here)
        ids = {names[account] for account in here}
    return None if not ids else {person.id for person in accounts.asked(workspace.root, ids)}


def _done(state: Standing, enough: float) -> str | None:
    if state.complete >= enough * state.tasks:
        return "complete" if state.complete == state.tasks else "enough"
    if state.complete + state.exhausted == state.tasks:
        return "nobody is left to ask"
    return None


def _connected(workspace: Workspace, current: Round) -> Backend:
    if current.project is None:
        raise DataError(f"round {current.number} has not been sent", hint="run `curate push` first")
    return workspace.connect(current.project.backend)


def summarize(current: Round, fetched: Fetched, state: Standing, *, done: bool) -> PullResult:
    answers = current.answers()
    rejected = Counter(row["reason"] for row in answers if row["status"] == "rejected")
    notes = []
    if fetched.accounts:
        notes.append(f"{fetched.accounts} new accounts were added to {people.NAME}")
    if fetched.unasked:
        notes.append(f"{fetched.unasked} texts were answered by people who were not asked them")
    return PullResult(
        round=current.number,
        new=fetched.new,
        statuses=dict(Counter(row["status"] for row in answers)),
        rejected=dict(rejected),
        complete=state.complete,
        tasks=state.tasks,
        done=done,
        notes=tuple(notes),
    )


STAGE = Stage(
    name="pull",
    spec=PullSpec,
    run=run,
    reads=READS,
    writes=WRITES,
    examples=("curate pull --answers labels.jsonl",),
    takes_part=if_people_are_asked,
    asks_people=True,
)
