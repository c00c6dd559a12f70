"""Bring answers home, append-only: nothing that a person said is overwritten or dropped.

the round's project ──pull──▶ annotations
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from curate import people
from curate.backends import Backend
from curate.backends.folder import read_answers
from curate.errors import DataError
from curate.forms import complaint
from curate.records import Annotation, Form, Project, moment
from curate.rounds import Batch, Round, freeze
from curate.spec import Spec
from curate.storage import file_digest
from curate.text import canonical
from curate.views import View
from curate.workspace import Workspace, now

READS = ("project",)
WRITES = ("annotations",)

ASKED = ("submitted", "skipped", "discarded")
"""What uses a person up for a task."""


class PullSpec(Spec):
    """When a round counts as done."""

    enough: Annotated[
        float, Field(gt=0, le=1, description="Share of complete tasks that closes the round.")
    ] = 1.0


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
    current = workspace.round
    backend = _connected(workspace, current)
    fetched = Fetched.joined(fetch(workspace, current, backend, b) for b in current.batches)
    state = standing(current, {b.name: _people(workspace, backend, b) for b in current.batches})
    why = _done(state, spec.enough)
    if why and not current.closed:
        close(current, why)
    return _result(current, fetched, state, done=bool(why))


def close_round(workspace: Workspace) -> PullResult:
    """End the newest round early: what was answered comes home first, the rest is withdrawn."""
    current = workspace.round
    if current.closed:
        raise DataError(f"round {current.number} is closed already")
    fetched = Fetched()
    if current.push is not None:
        backend = _connected(workspace, current)
        fetched = Fetched.joined(fetch(workspace, current, backend, b) for b in current.batches)
    close(current, "closed by hand")
    return _result(current, fetched, standing(current, {}), done=True)


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
    before = {_key(row): row for row in at_home if row["project"] == project.name}
    known = {
        (id, question, accounts.get(annotator, annotator)): _annotation(row, form, views).mark
        for (id, question, annotator), row in before.items()
        if id not in erased  # their answers stay: that the server has none of them is meant
    }
    place = f"{project.key} {project.born}"  # a project made anew may have the old one's number
    label = " ".join(filter(None, ("fetching answers", batch.name)))
    with workspace.watch(label, None):
        pulled = backend.pull(project, cursor=current.cursors.get(place), known=known)
    given = {each.account for each in pulled.annotations}
    ids, added = people.identify(workspace.root, project.backend, given)
    suggested = _suggested(current, batch)
    rows = [
        _row(_checked(each, form, views), ids, current, batch)
        | {"blind": (each.id, each.question) not in suggested}
        for each in pulled.annotations
        if each.id not in erased
    ]
    seen = {_event(row) for row in current.history()}
    news = [
        row
        for row in rows
        if _is_new(row, before.get(_key(row)), seen)
        and not _was_put_back(row, before.get(_key(row)), batch.restored)
    ]
    if news:
        cursors = {**current.cursors, **({place: pulled.cursor} if pulled.cursor else {})}
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
        names, _ = people.identify(workspace.root, backend.name, here)
        ids = {names[account] for account in here}
    return None if not ids else {person.id for person in people.asked(workspace.root, ids)}


def bring(workspace: Workspace, answers: Path, form: Form) -> PullResult:
    """Bring in answers made elsewhere, for any documents of the pool, as a round of its own.

    The same file with the same form is one round. Its documents never enter corpus estimates.
    """
    mark = file_digest(answers) if answers.is_file() else None
    for each in workspace.rounds:
        if mark and each.spec.get("file") == mark and each.form.digest == form.digest:
            return _result(each, Fetched(), standing(each, {}), done=True)
    given = list(read_answers(answers))
    ids = list(dict.fromkeys(each.id for each in given))
    found = workspace.find_views(ids, edited=False)
    views = {id: found[id] for id in ids if id in found}
    number = workspace.next_number
    about: dict[str, Any] = {
        "purpose": "import",
        "created": now(),
        "file": mark,
        "sample": {},
        "frame": {},
    }
    sample = [
        {"id": id, "round": number, "rank": rank, "kind": "design", "strategy": "import"}
        for rank, id in enumerate(views)
    ]
    with freeze(workspace.root, number, about, sample, views) as folder:
        fresh = Round(number, folder)
        project = Project("folder", "", f"import-{number:02}", str(number), form, None, "")
        batch = Batch(None, project)
        asked = [{"id": id} for id in views]
        fresh.freeze_push({"spec": {"backend": "folder", "overlap": "all"}}, form, [batch], asked)
        names, _ = people.identify(workspace.root, "folder", {each.account for each in given})
        rows = [_row(_checked(each, form, views), names, fresh, batch) for each in given]
        fresh.append([{**row, "at": row["at"] or moment(now())} for row in rows], {})
        close(fresh, "imported")
    current = workspace.rounds[-1]
    return _result(current, Fetched(len(rows)), standing(current, {}), done=True)


# ── how far a round is


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


def overview(workspace: Workspace) -> list[RoundStatus]:
    """Return every round as it stands at home, without asking a server."""
    found = []
    for each in workspace.rounds:
        answers = [row for row in each.answers() if row["status"] == "submitted"]
        annotators = {row["annotator"] for row in answers}
        project, closed = each.project, each.closed
        asked = {b.name: set(b.people or annotators) for b in each.batches}
        state = standing(each, asked)
        found.append(
            RoundStatus(
                round=each.number,
                purpose=each.purpose,
                backend=project.backend if project else None,
                tasks=state.tasks,
                complete=state.complete,
                answers=len(answers),
                annotators=len(annotators),
                closed=closed["why"] if closed else None,
            )
        )
    return found


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
    names = people.ids(root, backend.name, answers)
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


def _done(state: Standing, enough: float) -> str | None:
    if state.complete >= enough * state.tasks:
        return "complete" if state.complete == state.tasks else "enough"
    if state.complete + state.exhausted == state.tasks:
        return "nobody is left to ask"
    return None


# ── one answer


def _checked(each: Annotation, form: Form, views: Mapping[str, View]) -> Annotation:
    """Return the answer as it is kept, or marked as rejected with the reason it cannot be meant.

    A draft stays one, whatever it says: it must not take the place of what was submitted before.
    """
    if each.status not in ("submitted", "draft"):
        return each
    value, reason = _home(each, form, views)
    wrong = reason is not None and each.status == "submitted"
    return replace(each, value=value, reason=reason, status="rejected" if wrong else each.status)


def _home(each: Annotation, form: Form, views: Mapping[str, View]) -> tuple[Any, str | None]:
    if each.id not in views:
        return each.value, "not a task of this round"
    view = views[each.id]
    if reason := complaint(form, each.question, each.value, view.fields):
        return each.value, reason
    return view.home(each.value, form.question(each.question).kind)


def _row(each: Annotation, ids: Mapping[str, str], current: Round, batch: Batch) -> dict[str, Any]:
    return {
        "id": each.id,
        "question": each.question,
        "annotator": ids.get(each.account, each.account),
        "value": None if each.value is None else _json(each.value),
        "status": each.status,
        "reason": each.reason,
        "at": moment(each.at),
        "seconds": each.seconds,
        "backend": batch.project.backend,
        "project": batch.project.name,
        "round": current.number,
        "form": batch.project.form.digest,
        "guideline": batch.guideline,
        "blind": True,
    }


def _json(value: Any) -> str:
    """Return a value as JSON that can be stored: a lone surrogate becomes U+FFFD."""
    return canonical(json.dumps(value, ensure_ascii=False))


def _annotation(row: Mapping[str, Any], form: Form, views: Mapping[str, View]) -> Annotation:
    """Return an answer that is at home as its server has it."""
    value = None if row["value"] is None else json.loads(row["value"])
    if value is not None and row["reason"] is None:
        value = views[row["id"]].shown(value, form.question(row["question"]).kind)
    at = row["at"].isoformat() if row["at"] else None
    return Annotation(
        row["id"], row["question"], row["annotator"], value, row["status"], at, row["seconds"]
    )


def _key(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["id"], row["question"], row["annotator"]


def _event(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (*_key(row), row["value"], row["status"], row["reason"], row["at"])


def _is_new(
    row: Mapping[str, Any], before: Mapping[str, Any] | None, seen: set[tuple[Any, ...]]
) -> bool:
    """Whether an answer is not at home yet; one without a time is if it says what stands there."""
    if before is None or (before["status"] == "withdrawn" != row["status"]):
        return True
    if row["at"] is None:
        return any(row[name] != before[name] for name in ("value", "status", "reason"))
    return _event(row) not in seen


def _was_put_back(
    row: Mapping[str, Any], before: Mapping[str, Any] | None, restored: str | None
) -> bool:
    """Whether an answer is what `push --restore` put there: the one at home, at another time."""
    if before is None or restored is None or row["at"] is None:
        return False
    same = all(row[name] == before[name] for name in ("value", "status"))
    time = moment(restored)
    return same and time is not None and bool(row["at"] <= time)


def _connected(workspace: Workspace, current: Round) -> Backend:
    if current.project is None:
        raise DataError(f"round {current.number} has not been sent", hint="run `curate push` first")
    return workspace.connect(current.project.backend)


def _result(current: Round, fetched: Fetched, state: Standing, *, done: bool) -> PullResult:
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
