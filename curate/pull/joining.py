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

from curate.pull.formats.made import Made, value_at
from curate.records import Form
from curate.rounds.views import View
from curate.text import canonical, canonical_offset
from curate.workspace import Workspace

Texts = tuple[str, ...]
"""The fields that a form shows, in its order."""

NO_TEXT = "no document has this text"
NO_KEY = "no document has this key"
SEVERAL = "several documents fit"
NEITHER = "it has neither an id of curate's nor a text"
CHANGED = "id, with another text beside it"


@dataclass(frozen=True)
class Target:
    """What people saw, and the task that it is in the import."""

    id: str
    view: View
    members: tuple[str, ...] = ()
    window: tuple[int, int] | None = None


@dataclass
class Targets:
    """All that answers can be about: by id, by text, by text without white space, by key.

    None stands where two documents fit.
    """

    by_id: dict[str, Target] = field(default_factory=dict)
    by_text: dict[Texts, Target | None] = field(default_factory=dict)
    by_letters: dict[Texts, Target | None] = field(default_factory=dict)
    by_key: dict[str, Target | None] = field(default_factory=dict)

    def find(self, made: Made, form: Form, key: str | None) -> tuple[Target | None, str]:
        """The target of a row and by what it was found; or None and why there is none."""
        if key is not None:
            wanted = value_at(made.data, key)
            own = None if wanted is None else self.by_key.get(str(wanted))
            return own, "key" if own else SEVERAL if str(wanted) in self.by_key else NO_KEY
        own = self.by_id.get(made.id or "")
        texts = shown_texts(made.texts, form)
        if own is not None and (texts is None or _fits(own, texts, form, loose=made.loose)):
            return own, "id"
        if texts is None:
            return None, NEITHER
        table, wanted = (self.by_letters, _letters(texts)) if made.loose else (self.by_text, texts)
        if found := table.get(wanted):
            return found, "text"
        if own is not None and not made.loose:
            return own, CHANGED
        return None, SEVERAL if wanted in table else NO_TEXT


def joins_of(workspace: Workspace, form: Form, made: Sequence[Made], key: str | None) -> Targets:
    """Read the targets of some rows, from the rounds and from the pool."""
    wanted = Targets()
    loose = any(own.loose for own in made)
    made = [own for whole in made for own in (whole, *whole.parts)]
    for target in sent(workspace):
        wanted.by_id.setdefault(target.id, target)
        _put(wanted, target, form, loose=loose, is_first=True)
    texts = {own for row in made if (own := shown_texts(row.texts, form))}
    ids = {row.id for row in made if row.id}
    keys = {str(value) for row in made if key and (value := value_at(row.data, key)) is not None}
    asked = {*wanted.by_text}
    for target, meta in _documents(workspace, form, texts, ids, keys, key, loose=loose):
        wanted.by_id.setdefault(target.id, target)
        own = shown_texts(target.view.fields, form)
        if own not in asked:
            _put(wanted, target, form, loose=loose, is_first=False)
        value = None if key is None else value_at(meta, key)
        if value is not None:
            twice = str(value) in wanted.by_key
            wanted.by_key[str(value)] = None if twice else target
    return wanted


def _put(wanted: Targets, target: Target, form: Form, *, loose: bool, is_first: bool) -> None:
    """Add a target by its text. Two documents of one text are none, two rounds of it are one."""
    texts = shown_texts(target.view.fields, form)
    if texts is None:
        return
    tables = [(wanted.by_text, texts)]
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
    firsts = {own[0] for own in texts}
    letters = {_letters(own) for own in texts} if loose else set()
    for batch in _pool(workspace):
        rows = zip(*(batch[name].to_pylist() for name in _OF_POOL), strict=True)
        for id, text, fields, meta in rows:
            stored = {own["name"]: own["text"] for own in fields} if fields else {"text": text}
            data = json.loads(meta) if key and meta else {}
            own = shown_texts(stored, form)
            if (
                id in ids
                or (own is not None and (own[0] in firsts or (loose and _letters(own) in letters)))
                or (key is not None and str(value_at(data, key)) in keys)
            ):
                yield Target(id, View(stored)), data


_OF_POOL = ("id", "text", "fields", "meta")


def _pool(workspace: Workspace) -> Iterator[Any]:
    """Yield the documents a few at a time: texts are compared, so each is looked at."""
    import pyarrow.parquet as pq

    for path in workspace.tables.shards("pool"):
        yield from pq.ParquetFile(path).iter_batches(10_000, columns=list(_OF_POOL))


def at_home(value: Any, made: Made, target: Target, default: str) -> Any:
    """Spans of a tool as spans of what people saw: in the canonical text, with its white space."""
    if not isinstance(value, list):
        return value
    return [_span(span, made, target, default) for span in value]


def _span(span: Any, made: Made, target: Target, default: str) -> Any:
    if not isinstance(span, dict) or any(type(span.get(end)) is not int for end in _ENDS):
        return span
    name = span.get("field") or default
    raw, text = made.texts.get(name), target.view.fields.get(name, "")
    if raw is None:
        return span
    start, end = (canonical_offset(raw, span[edge]) for edge in _ENDS)
    if made.loose:
        start, end = _among_letters(canonical(raw), text, start, end)
    return {**span, "start": start, "end": end}


_ENDS = ("start", "end")


def _among_letters(loose: str, text: str, start: int, end: int) -> tuple[int, int]:
    """The place in `text` of a range of `loose`, which has the same letters."""
    places = [place for place, letter in enumerate(text) if not letter.isspace()]
    before = len("".join(loose[:start].split()))
    within = len("".join(loose[start:end].split()))
    if not within or before + within > len(places):
        return start, end
    return places[before], places[before + within - 1] + 1


def is_same_text(made: Made, target: Target, fields: Iterable[str]) -> bool:
    """Whether the tool had the text of these fields, as far as it says what it had."""
    for name in fields:
        raw, text = made.texts.get(name), target.view.fields.get(name, "")
        same = _letters((raw or "", text)) if made.loose else (canonical(raw or ""), text)
        if raw is not None and same[0] != same[1]:
            return False
    return True


def told(reasons: Iterable[tuple[Made, str]]) -> list[str]:
    """What could not be joined, an example each."""
    return [f"{made.where} ({reason})" for made, reason in reasons]
