"""Send a round to people: the same push twice is one push.

sample ──push──▶ the round's projects on their server
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from curate import chance, people
from curate.backends import Backend
from curate.errors import CurateError, DataError, ProjectMismatch, RecipeError
from curate.forms import complaint, load_form
from curate.people import Person
from curate.push.assign import Item, Part, by_person, by_value, slugs, together
from curate.push.suggest import SuggestSpec, suggest
from curate.records import Annotation, Form, Project, Suggestion, Task
from curate.rounds import Batch, Round, text_digest
from curate.spec import Spec
from curate.workspace import Workspace, now

READS = ("sample",)
WRITES = ("tasks", "project")

PERSON = "person"
UNDETERMINED = "und"
"""The language of a text that `clean` was not sure of: anybody may read it."""


class PushSpec(Spec):
    """Where people label, with which form, and how many of them each text."""

    backend: Annotated[
        Literal["label_studio", "argilla", "folder"], Field(description="Where people label.")
    ] = "label_studio"
    form: Annotated[str, Field(description="A form by name, or the path of a label config.")] = (
        "sentiment"
    )
    overlap: Annotated[
        Annotated[int, Field(ge=1)] | Literal["all"],
        Field(description="How many people answer each text."),
    ] = 1
    guidelines: Annotated[
        str | dict[str, str] | None,
        Field(description="A Markdown file for annotators; or one for each part of the round."),
    ] = None
    assign: Annotated[
        str | None,
        Field(
            description="Split the round: by language, another pool column, meta.KEY, or person."
        ),
    ] = None
    people: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="Part of the round → the people who get it."
    )
    suggest: Annotated[
        tuple[SuggestSpec, ...], Field(description="Models that answer beforehand.")
    ] = ()

    @model_validator(mode="after")
    def _people_of_parts(self) -> PushSpec:
        if self.people and self.assign in (None, PERSON):
            raise ValueError("`people` is for a round that is split by a column: see `assign`")
        if isinstance(self.guidelines, dict) and self.assign in (None, PERSON):
            raise ValueError("one guideline each is for a round that is split by a column")
        return self


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
    current = _open(workspace)
    form, guidelines = load_form(spec.form, workspace.root), _guidelines(workspace, spec)
    _check_fields(form, current)
    notes: tuple[str, ...] = ()
    if current.push is None:
        _check_gold(form, current)
        notes = _freeze(workspace, spec, current, form, guidelines)
    notes += _changes(current, spec, form, guidelines)
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


def _open(workspace: Workspace) -> Round:
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
        ids = [p.id for p in people.asked(root, {known[a] for a in here if a in known})]
    return sorted(account for account, id in known.items() if id in ids)


def tasks_of(current: Round, batch: str | None = None) -> list[Task]:
    """Return what a batch asks, in the order shown: by hash, so that a round cut short is random.

    The ids of the tasks are all that leads back to documents, members and gold.
    """
    texts = current.texts()
    erased = current.erased
    rows = {
        row["id"]: row
        for row in current.tasks()
        if row["batch"] == batch and row["id"] not in erased
    }
    return [
        Task(id, texts[id], rows[id]["overlap"], _stored_suggestions(rows[id]["suggestions"]))
        for id in _in_order(current)
        if id in rows
    ]


def _stored_suggestions(stored: str | None) -> tuple[Suggestion, ...]:
    return tuple(Suggestion(**each) for each in json.loads(stored or "[]"))


def _in_order(current: Round) -> list[str]:
    ids = current.sample()["id"].to_pylist()
    order = chance.uniform(ids, current.spec["sample"].get("seed", 0), "order")
    return [id for _, id in sorted(zip(order.tolist(), ids, strict=True))]


def project_name(workspace: Workspace, number: int, batch: str | None = None) -> str:
    """Return the project's name on the server: `<recipe>-<workspace id>-rNN`, `-<batch>`."""
    about = workspace.about
    name = f"{about['name']}-{about['id']}-r{number:02}"
    return f"{name}-{batch}" if batch else name


def _guidelines(workspace: Workspace, spec: PushSpec) -> dict[str | None, str]:
    """Return the guideline of each part; None stands for all parts that have none of their own."""
    given = spec.guidelines
    files = given if isinstance(given, dict) else {None: given} if given else {}
    found: dict[str | None, str] = {None: ""}
    for part, file in files.items():
        path = workspace.path(file)
        if not path.is_file():
            raise DataError(f"push.guidelines: no file {path}")
        try:
            found[part] = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise DataError(
                f"push.guidelines: {path} is not UTF-8", hint="save it as UTF-8"
            ) from None
    return found


def _check_fields(form: Form, current: Round) -> None:
    for id, shown in current.texts().items():
        missing = [name for name in form.fields if name not in shown]
        if missing:
            raise DataError(
                f"the form {form.name} shows ${missing[0]}, which document {id} does not have",
                hint=f"it has: {', '.join(shown)}",
            )


# ── the first push


def _check_gold(form: Form, current: Round) -> None:
    """Raise DataError for a known answer that nobody could give: all would seem to be wrong."""
    texts = current.texts()
    for id, answers in current.gold().items():
        for question, value in answers.items():
            if reason := complaint(form, question, value, texts[id]):
                shown = " ".join(texts[id].values())
                raise DataError(
                    f"the gold item {shown[:40]!r}: {reason}",
                    hint="mend the file of gold items, then `curate round close` and sample anew",
                )


def _freeze(
    workspace: Workspace,
    spec: PushSpec,
    current: Round,
    form: Form,
    guidelines: Mapping[str | None, str],
) -> tuple[str, ...]:
    backend = workspace.connect(spec.backend)
    who, added = _who(workspace, backend)
    parts = _parts(workspace, spec, current, who)
    unused = sorted({*guidelines} - {None, *(part.name for part in parts)}, key=str)
    if unused:
        raise DataError(
            f"push.guidelines names {unused[0]}, and no task has that {spec.assign}",
            hint=f"there are: {', '.join(str(part.name) for part in parts)}",
        )
    views = current.views()
    suggested = suggest(workspace, form, spec.suggest, views) if spec.suggest else {}
    short = slugs(part.name for part in parts if part.name)
    batches = []
    for part in parts:
        name = project_name(workspace, current.number, short.get(part.name or ""))
        text = guidelines.get(part.name, guidelines[None])
        project = backend.ensure_project(name, form, overlap=part.overlap, guidelines=text)
        known = part.people if spec.assign else None
        batches.append(Batch(part.name, project, known, text))
    asked = [
        {"id": id, "batch": part.name, "overlap": overlap, "suggestions": _plain(suggested.get(id))}
        for part in parts
        for id, overlap in part.asks.items()
    ]
    current.freeze_push({"spec": spec.settings(), "created": now()}, form, batches, asked)
    return (f"{added} new accounts were added to {people.NAME}",) if added else ()


def _plain(suggested: Iterable[Suggestion] | None) -> str | None:
    rows = [asdict(each) for each in suggested or ()]
    return json.dumps(rows, ensure_ascii=False) if rows else None


def _who(workspace: Workspace, backend: Backend) -> tuple[list[Person] | None, int]:
    """Return who can be asked (None: nobody knows), and how many accounts were new."""
    here = backend.accounts()
    if not here:
        listed = [person.id for person in people.load(workspace.root).people]
        return (people.asked(workspace.root, listed) if listed else None), 0
    ids, added = people.identify(workspace.root, backend.name, here)
    return people.asked(workspace.root, {ids[account] for account in here}), added


def _parts(
    workspace: Workspace, spec: PushSpec, current: Round, who: Sequence[Person] | None
) -> list[Part]:
    overlap = None if spec.overlap == "all" else spec.overlap
    items = list(_items(workspace, spec, current))
    if spec.assign is None:
        return [together(items, who, overlap)]
    if spec.assign == PERSON:
        if who is None:
            raise DataError(
                "push.assign: there is nobody to share the texts out to",
                hint="list them first: `curate people add ann`",
            )
        return by_person(items, who, overlap)
    return by_value(items, spec.assign, who, spec.people, overlap)


def _items(workspace: Workspace, spec: PushSpec, current: Round) -> Iterable[Item]:
    """Yield the tasks in the order shown, each with its value of the column that splits."""
    documents, gold = current.documents(), current.gold_items()
    column = "language" if spec.assign in (None, PERSON) else str(spec.assign)
    shown = {ids[0] for ids in documents.values()}
    values = _values(workspace, column, shown) if spec.assign else {}
    golden = {row["id"] for row in current.sample().to_pylist() if row["kind"] == "gold"}
    for id in _in_order(current):
        about = gold.get(id, {}).get("about", {})
        value = about.get(column) if id in golden else values.get(documents[id][0])
        language = value if column == "language" and value != UNDETERMINED else None
        yield Item(id, value, language, gold=id in gold)


def _values(workspace: Workspace, column: str, ids: Collection[str]) -> dict[str, str | None]:
    """Return the value of each document: a language is the declared one, else the detected one."""
    key = column.removeprefix("meta.")
    stored = "meta" if key != column else column
    known = ("source", "language", "license", "batch", "meta")
    if stored not in known:
        raise RecipeError(
            f"push.assign: {column} is no column of the pool",
            hint=f"{', '.join(known[:-1])}, meta.KEY or {PERSON}",
        )
    found = {
        row["id"]: row[stored]
        for shard in workspace.documents(["id", stored], dropped=True)
        for row in shard.to_pylist()
        if row["id"] in ids
    }
    if stored == "meta":
        found = {id: json.loads(meta or "{}").get(key) for id, meta in found.items()}
    return {id: None if value is None else str(value) for id, value in found.items()}


def _changes(
    current: Round, spec: PushSpec, form: Form, guidelines: Mapping[str | None, str]
) -> tuple[str, ...]:
    if form.digest != current.push["form_digest"]:
        raise ProjectMismatch(
            f"the form {form.name} has changed since its round was pushed",
            hint="finish or close the round; the new form acts on `curate run --next-round`",
        )
    now_, then = spec.settings(), current.push["spec"]
    changed = [name for name in now_ if now_[name] != then.get(name)]
    if "guidelines" not in changed and _other_guidelines(current, guidelines):
        changed.append("guidelines")
    return tuple(f"push.{name} changed: it acts on the next round" for name in changed)


def _other_guidelines(current: Round, guidelines: Mapping[str | None, str]) -> bool:
    texts = [guidelines.get(batch.name, guidelines[None]) for batch in current.batches]
    return [text_digest(text) for text in texts] != [b.guideline for b in current.batches]


def rewritten(workspace: Workspace, spec: PushSpec, current: Round) -> tuple[str, ...]:
    """Return which files have other words than those a pushed round is frozen with."""
    checks = {
        "form": lambda: load_form(spec.form, workspace.root).digest != current.push["form_digest"],
        "guidelines": lambda: _other_guidelines(current, _guidelines(workspace, spec)),
    }
    return tuple(f"push.{name}" for name, differs in checks.items() if _holds(differs))


def _holds(differs: Callable[[], bool]) -> bool:
    try:
        return differs()
    except CurateError:  # a file that is gone, or cannot be read any more
        return True


# ── a server that was lost


@dataclass(frozen=True)
class RestoreResult:
    """What was put back: projects made anew, tasks, and answers under their annotators."""

    round: int
    projects: int
    tasks: int
    answers: int
    url: str


def restore(workspace: Workspace) -> RestoreResult:
    """Bring the newest round's projects back with the answers at home, so nobody labels twice.

    A project that is there gets back only what it has lost. After a kill, run it again.
    """
    current = _open(workspace)
    if current.push is None:
        raise DataError(f"round {current.number} has not been sent", hint="run `curate push`")
    backend = workspace.connect(current.push["spec"]["backend"])
    anew = answers = tasks = 0
    urls = []
    for batch in current.batches:
        project, is_new = _found_or_made(backend, batch)
        urls.append(project.url)
        given = _at_home(workspace, current, batch)
        admitted = accounts(workspace.root, backend, batch.people)
        backend.admit(project, sorted({*admitted, *(each.account for each in given)}))
        asked = tasks_of(current, batch.name)
        with workspace.watch("putting answers back", None):
            answers += backend.restore(project, asked, given)
        after = datetime.now(UTC) + timedelta(
            seconds=1
        )  # the server's clock counts finer than ours
        current.replace_project(batch.name, project, restored=after.isoformat())
        anew, tasks = anew + is_new, tasks + len(asked)
    return RestoreResult(current.number, anew, tasks, answers, urls[0])


def _found_or_made(backend: Backend, batch: Batch) -> tuple[Project, bool]:
    try:
        return backend.open_project(batch.project), False
    except ProjectMismatch:
        lost = batch.project
        made = backend.ensure_project(
            lost.name, lost.form, overlap=lost.overlap, guidelines=batch.guidelines
        )
        return made, True


def _at_home(workspace: Workspace, current: Round, batch: Batch) -> list[Annotation]:
    """Return the batch's answers as the server had them: by account, as the page shows them."""
    ids = people.load(workspace.root).ids(batch.project.backend)
    names = {id: account for account, id in ids.items()}
    views, form, erased = current.views(), current.form, current.erased

    def shown(row: Mapping[str, Any]) -> Any:
        if row["value"] is None:
            return None
        kind = form.question(row["question"]).kind
        return views[row["id"]].shown(json.loads(row["value"]), kind)

    return [
        Annotation(
            row["id"],
            row["question"],
            names.get(row["annotator"], row["annotator"]),
            shown(row),
            row["status"],
            row["at"].isoformat(),
            row["seconds"],
        )
        for row in current.answers(by_project=True)
        if row["project"] == batch.project.name
        and row["id"] not in erased
        and row["status"] in ("submitted", "skipped", "discarded")
    ]
