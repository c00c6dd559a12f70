"""The first push of a round: checks, parts, and what is frozen."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict

from curate.backends import Backend
from curate.errors import DataError, RecipeError
from curate.forms import complaint
from curate.people import Person, accounts, people
from curate.push.assign import Item, Part, by_person, by_value, slugs, together
from curate.push.spec import PERSON, UNDETERMINED, PushSpec
from curate.push.suggest import suggest
from curate.push.tasks import in_order
from curate.records import Form, Suggestion
from curate.rounds import Batch, Round
from curate.workspace import Workspace


def project_name(workspace: Workspace, number: int, batch: str | None = None) -> str:
    """Return the project's name on the server: `<recipe>-<workspace id>-rNN`, `-<batch>`."""
    about = workspace.about()
    name = f"{about['name']}-{about['id']}-r{number:02}"
    return f"{name}-{batch}" if batch else name


def check_fields(form: Form, current: Round) -> None:
    for id, shown in current.texts().items():
        missing = [name for name in form.fields if name not in shown]
        if missing:
            raise DataError(
                f"the form {form.name} shows ${missing[0]}, which document {id} does not have",
                hint=f"it has: {', '.join(shown)}",
            )


def check_gold(form: Form, current: Round) -> None:
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
) -> tuple[Round, tuple[str, ...]]:
    """Freeze form, guidelines, overlap, backend, suggestions, and who is asked what.

    The round as it is then, and what there is to say. Raises DataError for parts that do not fit.
    """
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
    frozen = current.freeze_push(spec.settings(), form, batches, asked)
    return frozen, (f"{added} new accounts were added to {people.NAME}",) if added else ()


def _plain(suggested: Iterable[Suggestion] | None) -> str | None:
    rows = [asdict(each) for each in suggested or ()]
    return json.dumps(rows, ensure_ascii=False) if rows else None


def _who(workspace: Workspace, backend: Backend) -> tuple[list[Person] | None, int]:
    """Return who can be asked (None: nobody knows), and how many accounts were new."""
    here = backend.accounts()
    if not here:
        listed = [person.id for person in people.load(workspace.root).people]
        return (accounts.asked(workspace.root, listed) if listed else None), 0
    ids, added = accounts.identify(workspace.root, backend.name, here)
    return accounts.asked(workspace.root, {ids[account] for account in here}), added


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
    for id in in_order(current):
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
        for shard in workspace.documents.batches(["id", stored], dropped=True)
        for row in shard.to_pylist()
        if row["id"] in ids
    }
    if stored == "meta":
        found = {id: json.loads(meta or "{}").get(key) for id, meta in found.items()}
    return {id: None if value is None else str(value) for id, value in found.items()}
