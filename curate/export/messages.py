"""The column `messages`: a conversation as it came, with the edits in every message.

A message has `role`, `content` and the keys that it came with. What is no text of its own, such as
tool calls, has the type JSON: JSON lines hold it as it is, other formats as `datasets` does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from curate.errors import CurateError, RecipeError
from curate.export.formats import BATCH, read_batches
from curate.export.placing import NoPlace, edited_parts, masked_words, refused
from curate.export.quoting import quoted
from curate.export.trainers import KNOWN_ROLES
from curate.sources.messages import CONTENT, ROLE
from curate.sources.paths import with_value_at
from curate.text import Edit
from curate.workspace import Workspace
from curate.workspace.documents import stored_edits

if TYPE_CHECKING:
    import pyarrow as pa

Message = dict[str, Any]
"""`role`, `content`, and what else the message holds."""

Keys = tuple[tuple[str, bool], ...]
"""The keys of messages beside `role`, and whether the values of each are JSON instead of texts."""

PLAIN: Keys = ((CONTENT, False),)
"""The keys of messages that are role and content alone."""


def messages_type(keys: Keys = PLAIN) -> pa.DataType:
    """The type of the column: null is a document that came as no conversation."""
    import pyarrow as pa

    columns = [(key, pa.json_() if is_json else pa.string()) for key, is_json in keys]
    return pa.list_(pa.struct([(ROLE, pa.string()), *columns]))


ROLES, LONGEST = 20, 64
"""So many roles of a shard are told at most, and so many characters of one: words of others."""


@dataclass
class Conversations:
    """How many lines of a shard have messages, and the roles of these.

    Roles that trainers know come first, then the first others by name.
    """

    lines: int = 0
    roles: set[str] = field(default_factory=set)

    def add(self, lines: pa.Table) -> None:
        """Count some lines, which have the column `messages`."""
        import pyarrow.compute as pc

        messages = lines["messages"]
        self.lines += len(messages) - messages.null_count
        roles = pc.unique(pc.struct_field(pc.list_flatten(messages), ROLE))
        found = self.roles.union(role[:LONGEST] for role in roles.to_pylist())
        known = found & KNOWN_ROLES
        self.roles = known.union(sorted(found - known)[: ROLES - len(known)])

    def told(self) -> dict[str, Any]:
        """What the manifest says of the shard: the number of lines, and the roles by name."""
        return {"messages": self.lines, "roles": sorted(self.roles)}


def check_conversations(workspace: Workspace) -> None:
    """Raise if no document can have messages: RecipeError without a `chat`; or the pool is old."""
    import pyarrow.parquet as pq

    sources = workspace.tables.made("pool").spec.get("sources") or ()
    if not any(source.get("chat") for source in sources):
        raise RecipeError(
            "export.messages: no source of the pool is a conversation",
            hint="a source of conversations has `chat` (`curate pool` reads it)",
        )
    stored = pq.read_schema(workspace.tables.shards("pool")[0]).names
    if not {"turns", "details"} <= {*stored}:
        raise CurateError(
            "export.messages: the pool is of an earlier version, and has no messages",
            hint="`curate pool` makes it again",
        )


def keys_of_messages(workspace: Workspace) -> Keys:
    """The keys of all messages of the pool, content first: reads the column of their details."""
    kinds: dict[str, bool] = {}
    for path in workspace.tables.shards("pool"):
        for batch in read_batches(path, BATCH, ["details"]):
            for key, is_json in _kinds(batch.column(0)):
                kinds[key] = kinds.get(key, False) or is_json
    content = (CONTENT, kinds.pop(CONTENT, False))
    return (content, *sorted(kinds.items()))


def _kinds(details: pa.Array) -> set[tuple[str, bool]]:
    """The keys of some details, and whether a value is more than a text or null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    own = pc.list_flatten(details)
    paths, literals = pc.struct_field(own, "path"), pc.struct_field(own, "literal")
    is_nothing = pc.is_in(literals, pa.array([None, "null", '""']))
    steps = pc.extract_regex(paths, _FIRST_STEP)
    names = [pc.struct_field(steps, name) for name in ("key", "more")]
    table = pa.table([*names, is_nothing], ["key", "more", "plain"])
    rows = table.group_by(["key", "more", "plain"]).aggregate([]).to_pylist()
    return {(json.loads(row["key"]), bool(row["more"]) or not row["plain"]) for row in rows}


_FIRST_STEP = r'^\[(?P<key>"(?:[^"\\]|\\.)*")(?P<more>, )?'


def message_column(documents: pa.Table, keys: Keys) -> pa.Array:
    """The messages of all documents: `text` is that before the edits.

    DataError for a document with a mask that does not lie within one value of a message.
    """
    import pyarrow.compute as pc

    rows = pc.indices_nonzero(documents["turns"].is_valid()).to_pylist()
    values: list[list[Message] | None] = [None] * documents.num_rows
    columns = [documents[name] for name in ("id", "text", "turns", "details", "edits")]
    for row in rows:
        id, text, turns, details, edits = (column[row].as_py() for column in columns)
        values[row] = messages_of(id, text, turns, stored_edits(edits), details or ())
    return _array(values, keys)


def _array(conversations: Sequence[Sequence[Message] | None], keys: Keys) -> pa.Array:
    """Conversations as a column; Arrow makes no JSON within lists by itself."""
    import numpy as np
    import pyarrow as pa

    messages = [message for own in conversations for message in own or ()]
    columns = [pa.array([message[ROLE] for message in messages], pa.string())]
    for key, is_json in keys:
        values = [message.get(key) for message in messages]
        if is_json:
            told = [None if value is None else quoted(value) for value in values]
            columns.append(pa.ExtensionArray.from_storage(pa.json_(), pa.array(told, pa.string())))
        else:
            columns.append(pa.array(values, pa.string()))
    fields = [*messages_type(keys).value_type]
    ends = np.cumsum([0, *(len(own or ()) for own in conversations)])
    return pa.ListArray.from_arrays(
        pa.array(ends, pa.int32()),
        pa.StructArray.from_arrays(columns, fields=fields),
        type=messages_type(keys),
        mask=pa.array([own is None for own in conversations]),
    )


def messages_of(
    id: str,
    text: str,
    turns: Sequence[Mapping[str, Any]],
    edits: Sequence[Edit],
    details: Sequence[Mapping[str, Any]] = (),
) -> list[Message]:
    """The messages of a document after its edits. DataError if a mask has no place in them."""
    words = masked_words(text, edits)
    roles = [turn["role"] for turn in turns]
    of_turn: list[list[Mapping[str, Any]]] = [[] for _ in turns]
    for detail in details:
        of_turn[detail["turn"]].append(detail)
    try:
        if any(word in role for role in roles for word in words):
            raise NoPlace("masked words stand in a role")
        told = values_of(text, turns, of_turn, edits)
    except NoPlace:
        raise refused(id, "its messages", "messages") from None
    messages = []
    for role, (content, values) in zip(roles, told, strict=True):
        message: Message = {ROLE: role, CONTENT: content}
        for path, value in values:
            with_value_at(message, path, value)
        messages.append(message)
    return messages


Values = list[tuple[tuple[str | int, ...], Any]]
"""The values of a message by their paths."""


def values_of(
    text: str,
    turns: Sequence[Mapping[str, Any]],
    of_turn: Sequence[Sequence[Mapping[str, Any]]],
    edits: Sequence[Edit],
) -> list[tuple[str, Values]]:
    """The content of each message after the edits, and the values of its details.

    Raises NoPlace for a mask that does not lie in one of them.
    """
    has_list = [any(_path(detail)[0] == CONTENT for detail in own) for own in of_turn]
    places: list[Mapping[str, Any]] = []
    for turn, own, is_listed in zip(turns, of_turn, has_list, strict=True):
        places += own if is_listed else [turn, *own]
    ranges = [(place["start"], place["end"]) for place in places]
    parts = iter(edited_parts(text, ranges, edits))
    told: list[tuple[str, Values]] = []
    for own, is_listed in zip(of_turn, has_list, strict=True):
        content = "" if is_listed else next(parts)
        values = [(_path(detail), _value(detail, text, next(parts))) for detail in own]
        told.append((content, values))
    return told


def _path(detail: Mapping[str, Any]) -> tuple[str | int, ...]:
    return tuple(json.loads(detail["path"]))


def _value(detail: Mapping[str, Any], text: str, edited: str) -> Any:
    """The value of a detail: its text after the edits, or what it is while none changes it."""
    if detail["literal"] is None:
        return edited
    if edited == text[detail["start"] : detail["end"]]:
        return json.loads(detail["literal"])
    try:
        return json.loads(edited)
    except ValueError:
        return edited
