"""Which document, or task of a round, another tool's answers are about.

Joined by a key of the user's, else by our id, else by the text: what people saw in a round comes
before documents of the pool, since its answers lead back to it. Texts are compared in their
canonical form. What leads to two documents leads to none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from curate.pull.formats.made import Made, name_of, value_at
from curate.records import Form
from curate.rounds.views import View
from curate.text import canonical, composed
from curate.workspace import Workspace

Texts = tuple[str, ...]
"""The fields that a form shows, in its order."""

NO_TEXT = "no document has this text"
NO_KEY = "no document has this key"
SEVERAL = "several documents fit"
NEITHER = "it has neither an id of curate's nor a text"
CHANGED = "id, with another text beside it"
RESPELLED = "text, whose accents are composed otherwise"


@dataclass(frozen=True)
class Target:
    """What people saw, and the task that it is in the import."""

    id: str
    view: View
    members: tuple[str, ...] = ()
    window: tuple[int, int] | None = None


@dataclass
class Targets:
    """All that answers can be about: by id, by text, by key.

    Texts are looked up as they are, with their accents composed, or without their white space.

    None stands where two documents fit.
    """

    by_id: dict[str, Target] = field(default_factory=dict)
    by_text: dict[Texts, Target | None] = field(default_factory=dict)
    by_spelling: dict[Texts, Target | None] = field(default_factory=dict)
    by_letters: dict[Texts, Target | None] = field(default_factory=dict)
    by_key: dict[str, Target | None] = field(default_factory=dict)

    def find(self, made: Made, form: Form, key: str | None) -> tuple[Target | None, str]:
        """The target of a row and by what it was found; or None and why there is none.

        `key` is the name of the user's key in the row.
        """
        if key is not None:
            value = value_at(made.data, key)
            name = "" if value is None else name_of(value)
            own = self.by_key.get(name)
            return own, "key" if own else SEVERAL if name in self.by_key else NO_KEY
        own = self.by_id.get(made.id or "")
        texts = shown_texts(made.texts, form)
        if own is not None and (texts is None or _fits(own, texts, form, loose=made.loose)):
            return own, "id"
        if texts is None:
            return None, NEITHER
        table, wanted = (self.by_letters, _letters(texts)) if made.loose else (self.by_text, texts)
        if found := table.get(wanted):
            return found, "text"
        if not made.loose and (respelled := self.by_spelling.get(_composed(texts))):
            return respelled, RESPELLED
        if own is not None and not made.loose:
            return own, CHANGED
        return None, SEVERAL if wanted in table else NO_TEXT


def joins_of(
    workspace: Workspace, form: Form, made: Sequence[Made], key: str | None, there: str | None
) -> Targets:
    """Read the targets of some rows, from the rounds and from the pool.

    `key` is the name of the user's key in the pool, and `there` its name in the rows.
    """
    wanted = Targets()
    loose = any(own.loose for own in made)
    made = [own for whole in made for own in (whole, *whole.parts)]
    for target in sent(workspace):
        wanted.by_id.setdefault(target.id, target)
        _put(wanted, target, form, loose=loose, is_first=True)
    texts = {own for row in made if (own := shown_texts(row.texts, form))}
    ids = {row.id for row in made if row.id}
    keys = {
        name_of(own) for row in made if there and (own := value_at(row.data, there)) is not None
    }
    asked = {*wanted.by_text}
    for target, meta in _documents(workspace, form, texts, ids, keys, key, loose=loose):
        wanted.by_id.setdefault(target.id, target)
        own = shown_texts(target.view.fields, form)
        if own not in asked:
            _put(wanted, target, form, loose=loose, is_first=False)
        value = None if key is None else value_at(meta, key)
        if value is not None:
            name = name_of(value)
            wanted.by_key[name] = None if name in wanted.by_key else target
    return wanted


def _put(wanted: Targets, target: Target, form: Form, *, loose: bool, is_first: bool) -> None:
    """Add a target by its text. Two documents of one text are none, two rounds of it are one."""
    texts = shown_texts(target.view.fields, form)
    if texts is None:
        return
    tables = [(wanted.by_text, texts), (wanted.by_spelling, _composed(texts))]
    tables += [(wanted.by_letters, _letters(texts))] if loose else []
    for table, own in tables:
        before = table.get(own)
        is_other = own in table and (before is None or before.id != target.id)
        table[own] = None if is_other and not is_first else (before or target)


def shown_texts(texts: Mapping[str, str], form: Form) -> Texts | None:
    """The canonical texts of the fields that the form shows; None if one is missing."""
    if any(name not in texts for name in form.fields):
        return None
    return tuple(canonical(texts[name]) for name in form.fields)


def _fits(target: Target, texts: Texts, form: Form, *, loose: bool) -> bool:
    own = shown_texts(target.view.fields, form)
    return own == texts or (loose and own is not None and _letters(own) == _letters(texts))


def _letters(texts: Texts) -> Texts:
    return tuple("".join(text.split()) for text in texts)


def _composed(texts: Texts) -> Texts:
    return tuple(composed(text) for text in texts)


def sent(workspace: Workspace) -> Iterator[Target]:
    """Yield the tasks of the rounds, the newest first."""
    for round_ in reversed(workspace.rounds.asking()):
        views = round_.views()
        for row in round_.sample().select(["id", "kind", "members", "start", "end"]).to_pylist():
            if row["kind"] != "gold" and row["id"] not in round_.erased:
                window = None if row["start"] is None else (row["start"], row["end"])
                yield Target(row["id"], views[row["id"]], tuple(row["members"] or ()), window)


def _documents(
    workspace: Workspace,
    form: Form,
    texts: set[Texts],
    ids: set[str],
    keys: set[str],
    key: str | None,
    *,
    loose: bool,
) -> Iterator[tuple[Target, Mapping[str, Any]]]:
    """Yield the documents of the pool that a row may mean, with what their rows hold besides."""
    firsts = {composed(own[0]) for own in texts}
    letters = {_letters(own) for own in texts} if loose else set()
    for batch in _pool(workspace):
        rows = zip(*(batch[name].to_pylist() for name in _OF_POOL), strict=True)
        for id, text, fields, meta in rows:
            stored = {own["name"]: own["text"] for own in fields} if fields else {"text": text}
            data = json.loads(meta) if key and meta else {}
            own = shown_texts(stored, form)
            if (
                id in ids
                or (own is not None and composed(own[0]) in firsts)
                or (own is not None and loose and _letters(own) in letters)
                or (key is not None and name_of(value_at(data, key)) in keys)
            ):
                yield Target(id, View(stored)), data


_OF_POOL = ("id", "text", "fields", "meta")


def _pool(workspace: Workspace) -> Iterator[Any]:
    """Yield the documents a few at a time: texts are compared, so each is looked at."""
    import pyarrow.parquet as pq

    for path in workspace.tables.shards("pool"):
        yield from pq.ParquetFile(path).iter_batches(10_000, columns=list(_OF_POOL))


def told(reasons: Iterable[tuple[Made, str]]) -> list[str]:
    """What could not be joined, an example each."""
    return [f"{made.where} ({reason})" for made, reason in reasons]
