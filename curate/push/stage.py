"""Send a round to people. A second push of the same round sends nothing twice.

sample ──push──▶ the round's projects on their server
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from curate.backends import Backend
from curate.forms import load_form
from curate.people.accounts import named_among
from curate.people.users import Directory
from curate.push.first import check_fields, check_gold, freeze, logins_of, open_round
from curate.push.guidelines import changes, read_guidelines
from curate.push.spec import PushSpec
from curate.push.tasks import tasks_of
from curate.rounds import Batch, Round
from curate.stage import Stage, if_people_are_asked
from curate.warning import StageWarning, warn
from curate.workspace import Workspace

READS = ("sample",)
WRITES = ("tasks", "project")


@dataclass(frozen=True)
class SentBatch:
    """What was sent of one part of a round, and where its people find it.

    `people` is the number of people; None where everyone is asked. `sent` counts new tasks.
    """

    batch: str | None
    people: int | None
    project: str
    url: str
    tasks: int
    sent: int


@dataclass(frozen=True)
class PushResult:
    """What was sent, and where people find it. `batches` is empty if the round is not split.

    `dropped` are the suggested values that do not fit the form, by reason.
    """

    round: int
    project: str
    url: str
    tasks: int
    sent: int
    suggestions: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    batches: tuple[SentBatch, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[StageWarning, ...] = ()


def run(workspace: Workspace, spec: PushSpec) -> PushResult:
    """Send those tasks of the newest round that the server lacks.

    The first push freezes form, guidelines, overlap, backend, suggestions and who is asked what.
    Settings that changed later act on the next round; the result notes them. Raises DataError
    if the round is closed, or if form, gold items or people do not fit it.
    """
    current = open_round(workspace)
    form, guidelines = load_form(spec.form, workspace.root), read_guidelines(workspace, spec)
    check_fields(form, current)
    dropped: Counter[str] = Counter()
    if current.push is None:
        check_gold(form, current)
        current = freeze(workspace, spec, current, form, guidelines, dropped)
    notes = changes(current, spec, form, guidelines)
    backend = workspace.connect(current.sent["spec"]["backend"])
    directory = Directory.of(workspace.root, backend)
    current = workspace.rounds.numbered(current.number)
    batches = tuple(
        _send(workspace, backend, current, batch, directory) for batch in current.batches
    )
    return PushResult(
        round=current.number,
        project=batches[0].project,
        url=batches[0].url,
        tasks=len(current.sample()),
        sent=sum(batch.sent for batch in batches),
        suggestions=sum(row["suggestions"] is not None for row in current.tasks()),
        dropped=dict(dropped),
        batches=batches if len(batches) > 1 or batches[0].batch else (),
        notes=notes,
        warnings=tuple(_doubts(dropped, directory)),
    )


def _doubts(dropped: Counter[str], directory: Directory) -> Iterator[StageWarning]:
    """Yield a warning for values that do not fit the form, and for people without an account."""
    unknown = directory.unknown(named_among(directory.people, directory.backend))
    if unknown:
        words = "{people} cannot be asked: {server} has no account {logins}"
        logins = [login for own in unknown.values() for login in own]
        yield warn("push.absent", words, people=[*unknown], server=directory.backend, logins=logins)
    if dropped:
        words = "{values:,} suggested values were left out: {reasons}"
        reasons = [f"{reason} ({count:,})" for reason, count in dropped.most_common()]
        yield warn("push.left_out", words, values=dropped.total(), reasons=reasons)


def _send(
    workspace: Workspace, backend: Backend, current: Round, batch: Batch, directory: Directory
) -> SentBatch:
    project = backend.open_project(batch.project)
    backend.admit(project, logins_of(backend, batch, directory))
    tasks = tasks_of(current, batch.name)
    sent = 0
    with workspace.watch(" ".join(filter(None, ("sending", batch.name))), len(tasks)) as advance:
        for _ in backend.push(project, tasks):
            sent += 1
            advance(1)
    people = None if batch.people is None else len(batch.people)
    return SentBatch(batch.name, people, project.name, project.url, len(tasks), sent)


STAGE = Stage(
    name="push",
    spec=PushSpec,
    run=run,
    reads=READS,
    writes=WRITES,
    examples=("curate push --backend label_studio --form sentiment --overlap 3",),
    takes_part=if_people_are_asked,
    asks_people=True,
)
