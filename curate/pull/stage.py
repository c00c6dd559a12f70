"""Bring answers home, append-only: no answer is ever overwritten or dropped.

the round's project ──pull──▶ annotations
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from curate.backends import Backend
from curate.errors import BackendError, DataError, ServerError
from curate.fetching.projects import Fetched, fetch
from curate.people import accounts, people
from curate.people.users import Directory
from curate.pull.obstacles import obstacles_of, waiting_for
from curate.pull.spec import PullSpec
from curate.records import Unserved
from curate.rounds import Batch, Round
from curate.rounds.standing import Standing, close, standing
from curate.stage import Stage, if_people_are_asked
from curate.warning import StageWarning, warn
from curate.wording import count
from curate.workspace import Workspace

READS = ("project",)
WRITES = ("annotations",)


@dataclass(frozen=True)
class PullResult:
    """What came home, and how far the round is.

    `new` and `statuses` count submissions, one a text and person, whatever the form asks.
    `rejected` counts answers to its questions, by reason.
    """

    round: int
    new: int
    statuses: dict[str, int]
    rejected: dict[str, int]
    complete: int
    tasks: int
    done: bool
    notes: tuple[str, ...] = ()
    warnings: tuple[StageWarning, ...] = ()


def run(workspace: Workspace, spec: PullSpec) -> PullResult:
    """Pull the new answers of the newest round, and close the round if it is done.

    Before it is closed, all its answers are read. Raises DataError if it has not been sent.
    """
    current, backend, directory = _connected(workspace, workspace.rounds.current())
    fetched = _fetched(workspace, current, backend, directory, whole=False)
    state = _state(current, backend, directory)
    why = _why_done(state, spec.enough)
    if why and not current.closed:
        rest = _fetched(workspace, current, backend, directory, whole=True)
        fetched = replace(Fetched.joined((fetched, rest)), altered=rest.altered)
        state = _state(current, backend, directory)
        why = _why_done(state, spec.enough)
    if why and not current.closed:
        close(current, why)
    obstacles: list[StageWarning] = []
    unserved = Unserved()
    if not why and not current.closed:
        unserved = _ask_more(backend, current, state)
        obstacles += waiting_for(current, _not_let_in(current, backend, directory))
    obstacles += obstacles_of(current, fetched.altered, state, unserved, done=bool(why))
    return summarize(current, fetched, state, done=bool(why), obstacles=tuple(obstacles))


def _state(current: Round, backend: Backend, directory: Directory) -> Standing:
    annotators = {
        batch.name: _annotators(current, backend, batch, directory) for batch in current.batches
    }
    return standing(current, annotators)


def _ask_more(backend: Backend, current: Round, state: Standing) -> Unserved:
    """See that the server asks people about every text that lacks answers.

    Returns the texts that it shows to nobody any more.
    """
    counted: list[str] = []
    gone: list[str] = []
    sizes = Counter(task["batch"] for task in current.tasks() if task["id"] not in current.erased)
    for batch in current.batches:
        if missing := state.missing.get(batch.name):
            unserved = backend.ask_more(batch.project, missing, tasks=sizes[batch.name])
            counted += unserved.counted
            gone += unserved.gone
    return Unserved(tuple(counted), tuple(gone))


def close_round(
    workspace: Workspace, number: int | None = None, *, offline: bool = False
) -> PullResult:
    """End a round early: fetch its answers first, then withdraw the other tasks.

    Without a number it is the newest open round. `offline` asks no server: answers that are still
    there can be pulled later. Raises DataError if the round is closed already, and BackendError if
    its project cannot be read.
    """
    current = _round_to_close(workspace, number)
    if current.closed:
        raise DataError(f"round {current.number} is closed already", hint="see `curate round list`")
    fetched = Fetched()
    if current.push is not None and not offline:
        try:
            current, backend, directory = _connected(workspace, current)
            fetched = _fetched(workspace, current, backend, directory, whole=True)
        except (BackendError, ServerError) as error:
            way = f"`curate round close {current.number} --offline` ends it with what is at home"
            error.hint = "; ".join(filter(None, (error.hint, way)))
            raise
    close(current, "closed by hand")
    state = standing(current, {})
    obstacles = tuple(obstacles_of(current, fetched.altered, state, Unserved(), done=True))
    return summarize(current, fetched, state, done=True, obstacles=obstacles)


def _round_to_close(workspace: Workspace, number: int | None) -> Round:
    if number is not None:
        return workspace.rounds.numbered(number)
    return next(reversed(workspace.rounds.open()), None) or workspace.rounds.current()


def _annotators(
    current: Round, backend: Backend, batch: Batch, directory: Directory
) -> set[str] | None:
    """The ids of the people of a batch who are asked now or later; None where nobody is known.

    They are those named for it, and those who have answered in it; nobody who has left, or who
    has answered and does not see the project any more.
    """
    answered = _answered_in(current, batch)
    ids = set(answered)
    if batch.people is not None:
        ids |= set(batch.people)
    else:
        ids |= directory.invited(backend.accounts(), batch.project.overlap)
    if not ids:
        return None
    absent = directory.left() | (answered & _shut_out(backend, batch, directory))
    return {person.id for person in accounts.expected(directory.root, ids - absent)}


def _answered_in(current: Round, batch: Batch) -> set[str]:
    return {
        row["annotator"]
        for row in current.answers(by_project=True)
        if row["project"] == batch.project.name and row["status"] != "withdrawn"
    }


def _shut_out(backend: Backend, batch: Batch, directory: Directory) -> set[str]:
    """The ids of people with an account on the server who do not see the batch's project."""
    members = backend.members(batch.project)
    return set() if members is None else directory.shut_out(members)


def _not_let_in(current: Round, backend: Backend, directory: Directory) -> list[str]:
    """The ids of people who are waited for, and do not see the texts: they were named later."""
    return sorted(
        id
        for batch in current.batches
        if (outside := _shut_out(backend, batch, directory))
        for id in outside & (_annotators(current, backend, batch, directory) or set())
    )


def _why_done(state: Standing, enough: float) -> str | None:
    # As a product of floats, .55 of 100 tasks would be a little more than 55.
    if state.complete >= Fraction(str(enough)) * state.tasks:
        return "complete" if state.complete == state.tasks else "enough"
    if state.complete + state.exhausted == state.tasks:
        return "nobody is left to ask"
    return None


def _connected(workspace: Workspace, current: Round) -> tuple[Round, Backend, Directory]:
    """The round with the ids of its people as its server's users show them, and the server."""
    if current.project is None:
        raise DataError(f"round {current.number} has not been sent", hint="run `curate push` first")
    backend = workspace.connect(current.project.backend)
    directory = Directory.of(workspace.root, backend)
    return workspace.rounds.numbered(current.number), backend, directory


def _fetched(
    workspace: Workspace, current: Round, backend: Backend, directory: Directory, *, whole: bool
) -> Fetched:
    return Fetched.joined(
        fetch(workspace, current, backend, batch, directory, whole=whole)
        for batch in current.batches
    )


def summarize(
    current: Round,
    fetched: Fetched,
    state: Standing,
    *,
    done: bool,
    obstacles: tuple[StageWarning, ...] = (),
) -> PullResult:
    """The result of a pull: what was fetched, and the state of the round with all its answers."""
    answers = current.answers()
    rejected = Counter(row["reason"] for row in answers if row["status"] == "rejected")
    is_import = current.purpose == "import"  # it says itself what became of each line
    notes = []
    if fetched.accounts:
        new = count(fetched.accounts, "new account")
        notes.append(f"added to {people.NAME}: {new}")
    if fetched.withdrawn:
        notes.append(f"{count(fetched.withdrawn, 'answer')} withdrawn: gone from the server")
    if fetched.unasked:
        unasked = count(fetched.unasked, "text")
        notes.append(f"answered by people who were not asked: {unasked}")
    return PullResult(
        round=current.number,
        new=fetched.new,
        statuses=dict(Counter(current.statuses().values())),
        rejected=dict(rejected),
        complete=state.complete,
        tasks=state.tasks,
        done=done,
        notes=tuple(notes),
        warnings=(*_doubts(state, rejected, done=done and not is_import), *obstacles),
    )


def _doubts(state: Standing, rejected: Counter[str], *, done: bool) -> Iterator[StageWarning]:
    """Yield a warning for answers that fit no form, and for a round that ends incomplete."""
    if rejected:
        words = "answers rejected: {answers:,} ({reasons})"
        reasons = [reason for reason, _ in rejected.most_common()]
        yield warn("pull.rejected", words, answers=rejected.total(), reasons=reasons)
    if done and state.complete < state.tasks:
        words = "the round has ended with {missing:,} of {tasks:,} texts that lack answers"
        missing = state.tasks - state.complete
        yield warn("pull.incomplete", words, missing=missing, tasks=state.tasks)


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
