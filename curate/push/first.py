"""The first push of a round: its checks, its parts, and what it freezes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict

from curate.backends import Backend
from curate.errors import DataError, NotAllowed, ProjectMismatch
from curate.forms import complaint
from curate.names import unknown
from curate.people import Person, accounts
from curate.people.users import Directory
from curate.push.assign import Item, Part, by_person, by_value, slugs, together
from curate.push.columns import column_of
from curate.push.media import media_of, shown_digests
from curate.push.spec import PERSON, UNDETERMINED, PushSpec
from curate.push.suggest import suggest
from curate.push.tasks import in_order
from curate.records import Form, Project, Suggestion
from curate.rounds import Batch, Round
from curate.workspace import Workspace


def project_name(workspace: Workspace, number: int, batch: str | None = None) -> str:
    """The project's name on the server: `<recipe>-<project id>-rNN`, then `-<batch>` if split."""
    name = f"{workspace.about()['name']}-{workspace.project_id()}-r{number:02}"
    return f"{name}-{batch}" if batch else name


def check_fields(form: Form, current: Round) -> None:
    """Raise DataError if a document lacks a field that the form shows."""
    for id, fields in current.texts().items():
        missing = [name for name in form.fields if name not in fields]
        if missing:
            raise DataError(
                f"the form {form.name} shows ${missing[0]}, which document {id} does not have",
                hint=f"it has: {', '.join(fields)}",
            )


def check_gold(form: Form, current: Round) -> None:
    """Raise DataError for a gold answer that the form cannot take: everyone would seem wrong."""
    texts = current.texts()
    for id, answers in current.gold().items():
        for question, value in answers.items():
            if reason := complaint(form, question, value, texts[id]):
                text = " ".join(texts[id].values())
                raise DataError(
                    f"the gold item {text[:40]!r}: {reason}",
                    hint="correct the file; then `curate round close`, `curate run --next-round`",
                )


def open_round(workspace: Workspace) -> Round:
    """Load the newest round that asks people. Raises DataError if it is closed."""
    current = workspace.rounds.current()
    if current.closed:
        raise DataError(
            f"round {current.number} is closed", hint="open another with `curate run --next-round`"
        )
    return current


def freeze(
    workspace: Workspace,
    spec: PushSpec,
    current: Round,
    form: Form,
    guidelines: Mapping[str | None, str],
    dropped: Counter[str],
) -> Round:
    """Freeze form, guidelines, overlap, backend, suggestions, and who is asked what.

    `dropped` counts the suggested values that are left out, by reason. Raises DataError for parts
    that do not fit.
    """
    backend = workspace.connect(spec.backend)
    annotators = _annotators(workspace, backend, spec)
    parts = _parts(workspace, spec, current, annotators)
    if not backend.asks_by_task:
        _refuse_own_overlaps(backend, parts)
    unused = sorted({*guidelines} - {None, *(part.name for part in parts)}, key=str)
    if unused:
        names = [str(part.name) for part in parts]
        problem = f"push.guidelines names {unused[0]}, and no task has that {spec.assign}"
        raise unknown(problem, str(unused[0]), names, kind=DataError)
    views = current.views()
    media = media_of(workspace, form, current)
    suggested = suggest(workspace, form, spec.suggest, views)
    dropped.update(suggested.dropped)
    short_names = slugs(part.name for part in parts if part.name)
    batches = []
    for part in parts:
        name = project_name(workspace, current.number, short_names.get(part.name or ""))
        guideline = guidelines.get(part.name, guidelines[None])
        project = own_project(workspace, backend, name, form, part.overlap, guideline)
        people_of_part = part.people if spec.assign else None
        batches.append(Batch(part.name, project, people_of_part, guideline))
    tasks = [
        {
            "id": id,
            "batch": part.name,
            "overlap": overlap,
            "suggestions": _suggestions_json(suggested.by_task.get(id)),
            "media": [medium.as_dict() for medium in media.get(id, {}).values()] or None,
            "shown": shown_digests(media.get(id, {}), workspace.root),
        }
        for part in parts
        for id, overlap in part.asks.items()
    ]
    return current.freeze_push(spec.settings(), form, batches, tasks)


def own_project(
    workspace: Workspace,
    backend: Backend,
    name: str,
    form: Form,
    overlap: int | None,
    guidelines: str,
) -> Project:
    """The project of that name, created or of an earlier try, and never that of another round.

    Somebody may have given the name to another round's project: that one gets its own name back.
    Raises ProjectMismatch if the key may not rename it.
    """
    others = {
        (batch.project.key, batch.project.born): batch.project
        for round_ in workspace.rounds.all()
        for batch in round_.batches
        if batch.project.backend == backend.name and batch.project.name != name
    }
    with suppress(ProjectMismatch):  # another round's project may ask another form
        project = backend.ensure_project(name, form, overlap=overlap, guidelines=guidelines)
        if (project.key, project.born) not in others:
            return project
    for other in others.values():
        with suppress(ProjectMismatch, NotAllowed):  # one that is gone has no name
            backend.open_project(other)
    project = backend.ensure_project(name, form, overlap=overlap, guidelines=guidelines)
    if taken := others.get((project.key, project.born)):
        raise ProjectMismatch(
            f"on {project.server} the project of {taken.name} is called {name}",
            hint="give it its own name back there, then run this again",
        )
    return project


def _refuse_own_overlaps(backend: Backend, parts: Iterable[Part]) -> None:
    """Raise DataError for a task that asks another number of people than its part does."""
    for part in parts:
        for id, overlap in part.asks.items():
            if overlap not in (None, part.overlap):
                raise DataError(
                    f"{backend.name} asks {part.overlap or 'all'} people about every text, and "
                    f"{id} wants {overlap}: gold asks everyone",
                    hint="`push: {overlap: all}`, or `push: {assign: person}`",
                )


def _suggestions_json(suggestions: Iterable[Suggestion] | None) -> str | None:
    rows = [asdict(suggestion) for suggestion in suggestions or ()]
    return json.dumps(rows, ensure_ascii=False) if rows else None


def _annotators(workspace: Workspace, backend: Backend, spec: PushSpec) -> list[Person] | None:
    """The people who can be asked; None where nobody is known.

    A round that is shared out, or split, asks those whom somebody named, and no strangers who
    have an account on the server too.
    """
    directory = Directory.of(workspace.root, backend)
    overlap = None if spec.overlap == "all" or spec.assign else spec.overlap
    logins = () if spec.assign else backend.accounts()
    invited = directory.invited(logins, overlap)
    ids = invited - directory.left()
    _refuse_absent(backend.name, directory, invited, present=len(ids), overlap=overlap)
    if not ids and backend.name != "folder" and spec.assign == PERSON:
        return None
    return accounts.asked(workspace.root, ids) if ids else None


def _refuse_absent(
    backend: str, directory: Directory, invited: set[str], *, present: int, overlap: int | None
) -> None:
    """Raise DataError if too few of the people named for a round have an account on the server."""
    hint = "`curate server accounts add` makes one, `curate people add` names another person"
    unknown = directory.unknown(invited)
    if unknown and present < (overlap or 1):
        logins = ", ".join(f"{login} ({id})" for id in unknown for login in unknown[id])
        raise DataError(f"{backend} has no account {logins}", hint=hint)
    if invited and not present:
        names = ", ".join(sorted(invited))
        raise DataError(f"nobody who is named has an account on {backend}: {names}", hint=hint)


def logins_of(backend: Backend, batch: Batch, directory: Directory) -> list[str]:
    """The logins of a batch's people on the server."""
    ids = batch.people
    if ids is None:
        invited = directory.invited(backend.accounts(), batch.project.overlap)
        ids = tuple(person.id for person in accounts.asked(directory.root, invited))
    return directory.logins(ids)


def _parts(
    workspace: Workspace, spec: PushSpec, current: Round, annotators: Sequence[Person] | None
) -> list[Part]:
    overlap = None if spec.overlap == "all" else spec.overlap
    items = list(_items(workspace, spec, current))
    if spec.assign is None:
        return [together(items, annotators, overlap)]
    if spec.assign == PERSON:
        if annotators is None:
            raise DataError(
                "push.assign: there is nobody to share the texts out to",
                hint="list them first: `curate people add ann`",
            )
        return by_person(items, annotators, overlap)
    return by_value(items, spec.assign, annotators, spec.people, overlap)


def _items(workspace: Workspace, spec: PushSpec, current: Round) -> Iterable[Item]:
    """Yield the tasks in the order shown, with their values of the splitting column."""
    documents, gold_items = current.documents(), current.gold_items()
    column = "language" if spec.assign in (None, PERSON) else str(spec.assign)
    first_documents = {ids[0] for ids in documents.values()}
    values = _values(workspace, column, first_documents) if spec.assign else {}
    added_gold = {row["id"] for row in current.sample().to_pylist() if row["kind"] == "gold"}
    for id in in_order(current):
        about = gold_items.get(id, {}).get("about", {})
        value = about.get(column) if id in added_gold else values.get(documents[id][0])
        language = value if column == "language" and value != UNDETERMINED else None
        yield Item(id, value, language, gold=id in gold_items)


SPLITTING = ("source", "language", "license", "batch")
"""The columns that can split a round, beside the keys of `meta`."""


def check_assign(assign: str | None) -> None:
    """Raise RecipeError for a column that cannot split a round."""
    names = (*SPLITTING, PERSON, "meta.KEY")
    if assign not in (None, *names[:-1]) and not str(assign).startswith("meta."):
        raise unknown(f"push.assign: {assign} is not a column of the pool", str(assign), names)


def _values(workspace: Workspace, column: str, ids: Collection[str]) -> dict[str, str | None]:
    """The value of each document. A language is the declared one, else the detected one."""
    check_assign(column)
    key = column.removeprefix("meta.")
    pool_column = "meta" if key != column else column
    values = column_of(workspace, pool_column, ids)
    if pool_column == "meta":
        values = {id: json.loads(meta or "{}").get(key) for id, meta in values.items()}
    return {id: None if value is None else str(value) for id, value in values.items()}
