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
from curate.rounds import Round, freeze
from curate.spec import Spec
from curate.storage import file_digest, write_json, write_text
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
    project, backend = _connected(workspace, current)
    new, added = fetch(workspace, current, backend, project)
    accounts = backend.progress(project).accounts
    ids, more = people.identify(workspace.root, project.backend, accounts)
    state = standing(current, project.overlap, {ids[account] for account in accounts})
    why = _done(state, spec.enough)
    if why and not current.closed:
        close(current, why)
    return _result(current, new, state, done=bool(why), accounts=added + more)


def close_round(workspace: Workspace) -> PullResult:
    """End the newest round early: what was answered comes home first, the rest is withdrawn."""
    current = workspace.round
    if current.closed:
        raise DataError(f"round {current.number} is closed already")
    new = added = 0
    overlap = None
    if current.project is not None:
        project, backend = _connected(workspace, current)
        new, added = fetch(workspace, current, backend, project)
        overlap = project.overlap
    close(current, "closed by hand")
    return _result(current, new, standing(current, overlap, set()), done=True, accounts=added)


def fetch(
    workspace: Workspace, current: Round, backend: Backend, project: Project
) -> tuple[int, int]:
    """Append answers that are new or changed; return how many, and how many new accounts."""
    backend.open_project(project)
    names = people.load(workspace.root).ids(project.backend)
    accounts = {id: account for account, id in names.items()}
    before = {_key(row): row for row in current.answers()}
    known = {
        (id, question, accounts.get(annotator, annotator)): _annotation(row).mark
        for (id, question, annotator), row in before.items()
    }
    with workspace.watch("fetching answers", None):
        pulled = backend.pull(project, cursor=current.cursor, known=known)
    ids, added = people.identify(
        workspace.root, project.backend, {each.account for each in pulled.annotations}
    )
    texts, form = current.texts(), current.form
    rows = [_row(_checked(each, form, texts), ids, current) for each in pulled.annotations]
    seen = {_event(row) for row in current.history()}
    news = [row for row in rows if _is_new(row, before.get(_key(row)), seen)]
    if news:
        current.append([{**row, "at": row["at"] or moment(now())} for row in news], pulled.cursor)
    return len(news), added


def bring(workspace: Workspace, answers: Path, form: Form) -> PullResult:
    """Bring in answers made elsewhere, for any documents of the pool, as a round of its own.

    The same file twice is one round. Its documents never enter corpus estimates.
    """
    mark = file_digest(answers) if answers.is_file() else None
    for each in workspace.rounds:
        if each.spec.get("file") == mark is not None:
            return _result(each, 0, standing(each, None, set()), done=True, accounts=0)
    given = list(read_answers(answers))
    texts = _pool_texts(workspace, {each.id for each in given})
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
        for rank, id in enumerate(texts)
    ]
    with freeze(workspace.root, number, about, sample, texts) as folder:
        write_text(folder / "form.xml", form.xml)
        project = Project("folder", "", f"import-{number:02}", str(number), form, None, "")
        record = {
            "spec": {"backend": "folder", "overlap": "all"},
            "form": form.name,
            "form_digest": form.digest,
            "guideline_digest": None,
            "project": {k: v for k, v in vars(project).items() if k != "form"},
        }
        write_json(folder / "project.json", record)
        fresh = Round(number, folder)
        ids, _ = people.identify(workspace.root, "folder", {each.account for each in given})
        rows = [_row(_checked(each, form, texts), ids, fresh) for each in given]
        fresh.append([{**row, "at": row["at"] or moment(now())} for row in rows], None)
        close(fresh, "imported")
    current = workspace.rounds[-1]
    return _result(current, len(rows), standing(current, None, set()), done=True, accounts=0)


# ── how far a round is


@dataclass(frozen=True)
class Standing:
    """How far a round is: its tasks, those complete, and those that nobody is left to answer."""

    tasks: int
    complete: int
    exhausted: int


def standing(current: Round, overlap: int | None, annotators: set[str]) -> Standing:
    """Count the tasks that have their overlap, and those for which everyone has been used up.

    `overlap` None asks everyone in `annotators`; a skip uses that person up.
    """
    submitted, asked = defaultdict(set), defaultdict(set)
    for row in current.answers():
        if row["status"] == "submitted" and row["value"] is not None:
            submitted[row["id"]].add(row["annotator"])
        if row["status"] in ASKED:
            asked[row["id"]].add(row["annotator"])
    ids = current.sample()["id"].to_pylist()
    wanted = overlap or max(1, len(annotators))
    complete = [id for id in ids if len(submitted[id]) >= wanted]
    left = set(ids) - set(complete)
    exhausted = [id for id in left if annotators and annotators <= asked[id]]
    return Standing(len(ids), len(complete), len(exhausted))


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
        state = standing(each, project.overlap if project else None, annotators)
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


def _checked(each: Annotation, form: Form, texts: Mapping[str, Mapping[str, str]]) -> Annotation:
    """Return the answer, marked as rejected with the reason if it cannot be meant."""
    if each.status not in ("submitted", "draft"):
        return each
    if each.id not in texts:
        return replace(each, status="rejected", reason="not a task of this round")
    reason = complaint(form, each.question, each.value, texts[each.id])
    return replace(each, status="rejected", reason=reason) if reason else each


def _row(each: Annotation, ids: Mapping[str, str], current: Round) -> dict[str, Any]:
    frozen = current.push
    return {
        "id": each.id,
        "question": each.question,
        "annotator": ids.get(each.account, each.account),
        "value": None if each.value is None else json.dumps(each.value, ensure_ascii=False),
        "status": each.status,
        "reason": each.reason,
        "at": moment(each.at),
        "seconds": each.seconds,
        "backend": frozen["project"]["backend"],
        "project": frozen["project"]["name"],
        "round": current.number,
        "form": frozen["form_digest"],
        "guideline": frozen["guideline_digest"],
        "blind": True,
    }


def _annotation(row: Mapping[str, Any]) -> Annotation:
    value = None if row["value"] is None else json.loads(row["value"])
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


def _connected(workspace: Workspace, current: Round) -> tuple[Project, Backend]:
    project = current.project
    if project is None:
        raise DataError(f"round {current.number} has not been sent", hint="run `curate push` first")
    return project, workspace.connect(project.backend)


def _pool_texts(workspace: Workspace, ids: Iterable[str]) -> dict[str, dict[str, str]]:
    found = workspace.find_texts(set(ids), edited=False)
    return {id: found[id] for id in dict.fromkeys(ids) if id in found}


def _result(current: Round, new: int, state: Standing, *, done: bool, accounts: int) -> PullResult:
    answers = current.answers()
    rejected = Counter(row["reason"] for row in answers if row["status"] == "rejected")
    notes = (f"{accounts} new accounts were added to {people.NAME}",) if accounts else ()
    return PullResult(
        round=current.number,
        new=new,
        statuses=dict(Counter(row["status"] for row in answers)),
        rejected=dict(rejected),
        complete=state.complete,
        tasks=state.tasks,
        done=done,
        notes=notes,
    )
