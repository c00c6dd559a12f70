"""How far a round is, and how far each person is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from curate.backends import Backend
from curate.people import accounts
from curate.records import now
from curate.rounds.batch import Batch
from curate.rounds.round import Round

ASKED = ("submitted", "skipped", "discarded")
"""What uses a person up for a task."""


@dataclass(frozen=True)
class Standing:
    """How far a round is: its tasks, those complete, and those that nobody is left to answer."""

    tasks: int
    complete: int
    exhausted: int


def standing(current: Round, annotators: Mapping[str | None, set[str] | None]) -> Standing:
    """Count the tasks that have their answers, and those for which everyone has been used up.

    `annotators` are, by batch, those who are asked, if they are known; a batch without overlap
    asks them all. A skip uses a person up, and so does the end of the period they are asked in.
    """
    submitted, asked = defaultdict(set), defaultdict(set)
    for row in current.answers(by_project=True):
        key = (row["project"], row["id"])
        if row["status"] == "submitted" and row["value"] is not None:
            submitted[key].add(row["annotator"])
        if row["status"] in ASKED:
            asked[key].add(row["annotator"])
    batches = {batch.name: batch for batch in current.batches}
    erased = current.erased
    ids = [id for id in current.sample()["id"].to_pylist() if id not in erased]
    open_, stuck = set() if batches else set(ids), set()
    for task in current.tasks():
        if task["id"] in erased:
            continue
        batch = batches[task["batch"]]
        key, people_ = (batch.project.name, task["id"]), annotators.get(task["batch"])
        wanted = task["overlap"] or batch.project.overlap or max(1, len(people_ or ()))
        if len(submitted[key]) < wanted:
            open_.add(task["id"])
            if people_ is None or not people_ <= asked[key]:
                stuck.add(task["id"])
    return Standing(len(ids), len(ids) - len(open_), len(open_ - stuck))


@dataclass(frozen=True)
class RoundStatus:
    """A round, and how far it is."""

    round: int
    purpose: str
    backend: str | None
    tasks: int
    complete: int
    answers: int
    annotators: int
    closed: str | None


def overview(rounds: Iterable[Round]) -> list[RoundStatus]:
    """Every round as it stands at home, without asking a server."""
    return [_status(round) for round in rounds]


def _status(current: Round) -> RoundStatus:
    answers = [row for row in current.answers() if row["status"] == "submitted"]
    annotators = {row["annotator"] for row in answers}
    project, closed = current.project, current.closed
    people = {batch.name: set(batch.people or annotators) for batch in current.batches}
    state = standing(current, people)
    return RoundStatus(
        round=current.number,
        purpose=current.purpose,
        backend=project.backend if project else None,
        tasks=state.tasks,
        complete=state.complete,
        answers=len(answers),
        annotators=len(annotators),
        closed=closed["why"] if closed else None,
    )


@dataclass(frozen=True)
class AnnotatorStatus:
    """How many texts of a round somebody has answered, skipped or begun.

    `live` says that the server was asked; else it is what has come home.
    """

    round: int
    part: str | None
    annotator: str
    submitted: int
    skipped: int
    draft: int
    rejected: int
    live: bool


def progress(current: Round, root: Path, backend: Backend | None) -> list[AnnotatorStatus]:
    """Return each annotator's progress: as the server has it, or as it came home without one."""
    found = []
    for batch in current.batches:
        counts = _counted(current, batch) if backend is None else _asked(root, backend, batch)
        for annotator, statuses in sorted(counts.items()):
            found.append(
                AnnotatorStatus(
                    round=current.number,
                    part=batch.name,
                    annotator=annotator,
                    submitted=statuses.get("submitted", 0),
                    skipped=statuses.get("skipped", 0),
                    draft=statuses.get("draft", 0),
                    rejected=statuses.get("rejected", 0),
                    live=backend is not None,
                )
            )
    return found


def _asked(root: Path, backend: Backend, batch: Batch) -> dict[str, Mapping[str, int]]:
    answers = backend.progress(batch.project).answers
    names = accounts.ids(root, backend.name, answers)
    return {names[account]: counts for account, counts in answers.items()}


def _counted(current: Round, batch: Batch) -> dict[str, Mapping[str, int]]:
    """Count texts, not questions: the worst that befell one of its answers is its status."""
    worst = ("withdrawn", "submitted", "discarded", "skipped", "draft", "rejected")
    last: dict[tuple[str, str], str] = {}
    for row in current.answers(by_project=True):
        if row["project"] == batch.project.name:
            key = (row["annotator"], row["id"])
            last[key] = max(last.get(key, worst[0]), row["status"], key=worst.index)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for (annotator, _), status in last.items():
        counts[annotator][status] += 1
    return dict(counts)


def close(current: Round, why: str) -> None:
    """Write the end of a round, with the answered share of each stratum.

    The share corrects the propensities of a round that ended early: tasks are shown in an order
    that does not depend on them, so those answered are a random part of each stratum.
    """
    answered = {row["id"] for row in current.answers() if row["status"] == "submitted"}
    strata: dict[str, list[bool]] = defaultdict(list)
    for row in current.sample().select(["id", "stratum"]).to_pylist():
        strata[row["stratum"] or ""].append(row["id"] in answered)
    withdrawn = sorted(set(current.sample()["id"].to_pylist()) - answered)
    shares = {name: sum(flags) / len(flags) for name, flags in strata.items()}
    current.close({"at": now(), "why": why, "answered": shares, "withdrawn": withdrawn})
