"""How far a round is, and its end."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from curate.records import now
from curate.rounds.answers import answering, to_mend
from curate.rounds.round import Round

FINAL = ("submitted", "skipped", "discarded")
"""Statuses after which a person is not asked about the task again."""


@dataclass(frozen=True)
class Standing:
    """How many tasks a round has, how many are complete, and how many nobody is left to answer.

    `missing` says, by batch, how many more people are wanted for each task that somebody can still
    answer. `waits_for` holds the people whose answers were rejected, where nobody else is left: for
    each of them, how many tasks wait.
    """

    tasks: int
    complete: int
    exhausted: int
    missing: Mapping[str | None, Mapping[str, int]] = field(default_factory=dict)
    waits_for: Mapping[str, int] = field(default_factory=dict)


def standing(current: Round, annotators: Mapping[str | None, set[str] | None]) -> Standing:
    """Count the tasks with enough answers, and those that nobody is left to answer.

    `annotators` holds the people who are asked, by batch; None if they are not known. A batch
    without an overlap asks all of them. A person is not asked again about a skipped task, and not
    at all after their period: callers leave them out.
    """
    submitted, finished, rejected = defaultdict(set), defaultdict(set), defaultdict(set)
    answers = current.answers(by_project=True)
    unfit = to_mend(answers, current.required)
    whole = answering(answers, current.wanted)
    for row in answers:
        key = (row["project"], row["id"])
        if (*key, row["annotator"]) in unfit:
            rejected[key].add(row["annotator"])
            continue
        if (*key, row["annotator"]) in whole:
            submitted[key].add(row["annotator"])
        if row["status"] in FINAL:
            finished[key].add(row["annotator"])
    batches = {batch.name: batch for batch in current.batches}
    erased = current.erased
    ids = [id for id in current.sample()["id"].to_pylist() if id not in erased]
    incomplete: set[str] = set() if batches else set(ids)
    answerable: set[str] = set()
    missing: dict[str | None, dict[str, int]] = {}
    waits_for: Counter[str] = Counter()
    for task in current.tasks():
        if task["id"] in erased:
            continue
        batch = batches[task["batch"]]
        key, people = (batch.project.name, task["id"]), annotators.get(task["batch"])
        overlap = task["overlap"] or batch.project.overlap or max(1, len(people or ()))
        overlap = 1 if current.purpose == "import" else overlap
        if len(submitted[key]) < overlap:
            incomplete.add(task["id"])
            if people is None or not people <= finished[key]:
                answerable.add(task["id"])
                lacking = missing.setdefault(task["batch"], {})
                lacking[task["id"]] = overlap - len(submitted[key])
            if people is not None and people <= finished[key] | rejected[key]:
                waits_for.update(people & rejected[key] - finished[key])
    complete, exhausted = len(ids) - len(incomplete), len(incomplete - answerable)
    return Standing(len(ids), complete, exhausted, missing, dict(waits_for))


@dataclass(frozen=True)
class RoundStatus:
    """A round, and how far it is; `answers` are submissions, whatever the form asks."""

    round: int
    purpose: str
    backend: str | None
    tasks: int
    complete: int
    answers: int
    annotators: int
    closed: str | None


def overview(rounds: Iterable[Round]) -> list[RoundStatus]:
    """How far every round is by the answers on disk; no server is asked."""
    return [_status(round) for round in rounds]


def _status(current: Round) -> RoundStatus:
    answers = [key for key, status in current.statuses().items() if status == "submitted"]
    annotators = {annotator for _, annotator in answers}
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


def how_to_end(current: Round) -> str:
    """The hint for a round that must end before another one begins."""
    advice = "`curate run` sends it" if current.push is None else "let people finish it"
    return f"{advice}, or end it with `curate round close {current.number}`"


def close(current: Round, why: str) -> None:
    """Write down the end of a round, with the answered share of each stratum.

    The share corrects the propensities of a round that ended early. The order in which tasks are
    shown does not depend on propensities: those answered are a random part of each stratum.
    """
    answered = {id for _, id, _ in answering(current.answers(), current.wanted)}
    strata: dict[str, list[bool]] = defaultdict(list)
    for row in current.sample().select(["id", "stratum"]).to_pylist():
        strata[row["stratum"] or ""].append(row["id"] in answered)
    withdrawn = sorted(set(current.sample()["id"].to_pylist()) - answered)
    shares = {name: sum(flags) / len(flags) for name, flags in strata.items()}
    current.close(
        {
            "at": now(),
            "why": why,
            "answered": shares,
            "withdrawn": withdrawn,
            "answers": current.count_answers(),
        }
    )
