"""Run `sample`: choose documents, or tasks to send again, and freeze a round of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from curate.errors import DataError
from curate.records import now
from curate.rounds import freeze
from curate.rounds.opened import Opened
from curate.rounds.standing import how_to_end
from curate.rounds.views import SIDES, View
from curate.sample.choosing import choose
from curate.sample.context import Context
from curate.sample.gold import read_gold
from curate.sample.relabel import answered_before, first
from curate.sample.spec import RANKED, SampleSpec
from curate.sample.stopping import Progress, Standing, write_losses
from curate.sample.tasks import members_of, pairs, task_rows, windows
from curate.stage import Cost, Stage, if_people_are_asked
from curate.warning import StageWarning, warn
from curate.workspace import Workspace

READS = ("pool", "clean")
WRITES = ("sample",)


@dataclass(frozen=True)
class SampleResult:
    """Counts of the new round: `tasks` includes gold items, `strata` counts the other tasks.

    `frame` is the number of documents (or tasks to send again) that could be chosen. `progress` is
    what the last round was worth, where it is known.
    """

    round: int
    purpose: str
    strategy: str
    documents: int
    tasks: int
    gold: int
    frame: int
    strata: dict[str, int]
    progress: Progress | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[StageWarning, ...] = ()


def run(workspace: Workspace, spec: SampleSpec) -> SampleResult:
    """Open a new round with documents that no round has sent before, or with tasks to send again.

    Raises DataError if a round is still open, or if nothing is left to send.
    """
    _refuse_open(workspace)
    number = workspace.next_round()
    chosen = _chosen(workspace, spec, number)
    if not chosen.tasks:
        raise DataError("no document is left to send", hint=_why_none(workspace, spec))
    tasks, missing = chosen.tasks, spec.n - len(chosen.tasks)
    documents = workspace.documents.find_kept(id for task in tasks for id in members_of(task))
    if spec.window and not spec.relabel:
        tasks = list(windows(tasks, documents, spec.window, spec.seed, number))
    sample, views = task_rows(tasks, documents)
    strata = Counter(str(row["stratum"]) for row in sample)
    for row in sample:
        row |= {"kind": "design", "strategy": chosen.strategy}
    gold = read_gold(workspace.path(spec.gold), spec.window) if spec.gold else {}
    added = {id: item for id, item in gold.items() if id not in views}
    sample += [{"id": id, "kind": "gold", "strategy": "gold"} for id in added]
    views |= {id: View(item.fields) for id, item in added.items()}
    for rank, row in enumerate(sample):
        row |= {"round": number, "rank": rank}
    about = _about(workspace, spec, chosen)
    answers = {
        id: {"answers": dict(item.answers), "about": dict(item.about)} for id, item in gold.items()
    }
    with freeze(workspace.root, number, about, sample, views, answers) as folder:
        if chosen.standing.losses:
            write_losses(folder, chosen.standing.question, chosen.standing.losses)
    return SampleResult(
        round=number,
        purpose=str(about["purpose"]),
        strategy=chosen.strategy,
        documents=len(documents),
        tasks=len(sample),
        gold=len(answers),
        frame=sum(chosen.sizes.values()),
        strata=dict(sorted(strata.items())),
        progress=chosen.standing.progress,
        notes=chosen.notes,
        warnings=(*_fewer(spec.n, missing), *chosen.warnings),
    )


def _about(workspace: Workspace, spec: SampleSpec, chosen: _Chosen) -> Opened:
    """What is frozen of the round beside its tasks."""
    about: Opened = {
        "purpose": "relabel" if spec.relabel else spec.purpose,
        "created": now(),
        "sample": spec.settings(),
        "frame": {
            "documents": sum(chosen.sizes.values()),
            "strata": dict(sorted(chosen.sizes.items())),
            "clean": workspace.tables.fingerprint("clean"),
        },
    }
    if chosen.standing.question:
        scores = workspace.tables.fingerprint("scores")
        about["scores"] = {"content": scores, "question": chosen.standing.question}
    return about


def _fewer(n: int, missing: int) -> tuple[StageWarning, ...]:
    """A warning if there was less to send than was asked for."""
    words = (
        "only {tasks:,} of the {n:,} texts that were asked for could be chosen: no more are left"
    )
    return (warn("sample.fewer", words, tasks=n - missing, n=n),) if missing > 0 else ()


def _older_labels(workspace: Workspace) -> tuple[StageWarning, ...]:
    """A warning if tasks are sent again by labels that lack the newest answers."""
    return workspace.freshness.newer_answers("sample")


def _refuse_open(workspace: Workspace) -> None:
    """Raise DataError while a round is open: it would not be sent, or not be pulled."""
    for round_ in workspace.rounds.open():
        raise DataError(f"round {round_.number} is still open", hint=how_to_end(round_))


@dataclass(frozen=True)
class _Chosen:
    """The tasks of a round, the sizes of the strata, and how they were chosen."""

    strategy: str
    tasks: list[dict[str, Any]]
    sizes: Mapping[str, int]
    notes: tuple[str, ...] = ()
    warnings: tuple[StageWarning, ...] = ()
    standing: Standing = field(default_factory=Standing)


def _chosen(workspace: Workspace, spec: SampleSpec, number: int) -> _Chosen:
    """The tasks in the order in which they are shown."""
    if spec.relabel:
        return _again(workspace, spec.relabel, spec, number)
    context = Context(workspace, spec)
    selection = choose(context, number, spec.n * len(SIDES) if spec.compare else spec.n)
    rows = [asdict(choice) for choice in selection.rows]
    standing = selection.standing
    return _Chosen(
        selection.strategy,
        list(pairs(rows, number)) if spec.compare else rows,
        selection.sizes,
        (*selection.notes, *standing.notes()),
        (*context.warnings(), *standing.warnings()),
        standing,
    )


def _again(workspace: Workspace, condition: str, spec: SampleSpec, number: int) -> _Chosen:
    """Tasks that are sent again; each shows what it did."""
    answered = answered_before(workspace, condition)
    chosen = first(answered, spec.n, spec.seed, f"sample {number}")
    tasks = [{**task, "stratum": condition} for task in chosen]
    sizes = {condition: len(answered)} if answered else {}
    return _Chosen("relabel", tasks, sizes, warnings=_older_labels(workspace))


def _why_none(workspace: Workspace, spec: SampleSpec) -> str:
    import pyarrow.compute as pc

    if spec.relabel:
        has = "is" if spec.relabel in RANKED else "has"
        return f"nothing that was answered {has} {spec.relabel}"
    holdouts = [shard.read(["holdout"])["holdout"] for shard in workspace.documents.shards()]
    if not any(len(held_out) for held_out in holdouts):
        return "`clean` keeps none: its rules drop every document"
    if all(pc.all(held_out).as_py() for held_out in holdouts):
        return "every document that `clean` keeps is held out: lower `pool.holdout`"
    two = ", and a comparison needs two" if spec.compare else ""
    return f"every kept document was sent in an earlier round{two}"


STAGE = Stage(
    name="sample",
    spec=SampleSpec,
    run=run,
    reads=READS,
    writes=WRITES,
    examples=(
        "curate sample --n 300 --strategy stratified",
        "curate sample --n 100 --strategy entropy --random-share 0.3",
        "curate sample --relabel label=neutral",
    ),
    takes_part=if_people_are_asked,
    asks_people=True,
    bulk=True,
    cost=Cost(run, writes="rounds"),
)
