"""The column `messages`: a conversation as it came, with the edits in every message.

A message has `role`, `content` and the keys that it came with. What is no text of its own, such as
tool calls, has the type JSON: JSON lines hold it as it is, other formats as `datasets` does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from curate.errors import CurateError, RecipeError
from curate.export.conversations import Keys, Message, array_of
from curate.export.formats import BATCH, read_batches
from curate.export.media.spoken import LISTS, stands_for
from curate.export.placing import NoPlace, edited_parts, masked_words, refused
from curate.export.trainers import KNOWN_ROLES
from curate.sources.chat_media import medium_of_part
from curate.sources.messages import CONTENT, JOINT, ROLE, text_of_part
from curate.sources.paths import Steps, with_value_at
from curate.text import Edit
from curate.workspace import Workspace
from curate.workspace.documents import stored_edits

if TYPE_CHECKING:
    import pyarrow as pa

ROLES, LONGEST = 20, 64
"""So many roles of a shard are told at most, and so many characters of one: words of others."""


@dataclass
class Conversations:
    """How many lines of a shard have messages, the roles of these, and the lists of their media.

    Roles that trainers know come first, then the first others by name.
    """

    lines: int = 0
    roles: set[str] = field(default_factory=set)
    lists: set[str] = field(default_factory=set)

    def add(self, lines: pa.Table) -> None:
        """Count some lines, which have the column `messages`."""
        import pyarrow.compute as pc

        messages = lines["messages"]
        self.lines += len(messages) - messages.null_count
        roles = pc.unique(pc.struct_field(pc.list_flatten(messages), ROLE))
        found = self.roles.union(role[:LONGEST] for role in roles.to_pylist())
        known = found & KNOWN_ROLES
        self.roles = known.union(sorted(found - known)[: ROLES - len(known)])
        for name in {*LISTS.values()} & {*lines.column_names}:
            if pc.max(pc.list_value_length(lines[name])).as_py():
                self.lists.add(name)

    def told(self) -> dict[str, Any]:
        """What the manifest says of the shard: the number of lines, and the roles by name.

        Where lines list media, also the names of those columns.
        """
        lists = {"media_columns": sorted(self.lists)} if self.lists else {}
        return {"messages": self.lines, "roles": sorted(self.roles), **lists}


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


def keys_of_messages(workspace: Workspace, *, marks: bool = False) -> Keys:
    """The keys of all messages of the pool, content first: reads the column of their details.

    With `marks`, a content of texts and media alone is one text.
    """
    kinds: dict[str, bool] = {}
    keeps_list = False
    for path in workspace.tables.shards("pool"):
        for batch in read_batches(path, BATCH, ["details"]):
            for key, is_json in _kinds(batch.column(0)):
                kinds[key] = kinds.get(key, False) or is_json
            keeps_list = keeps_list or (marks and _has_other_parts(batch.column(0)))
    is_json = kinds.pop(CONTENT, False)
    return ((CONTENT, keeps_list if marks else is_json), *sorted(kinds.items()))


def _kinds(details: pa.Array) -> set[tuple[str, bool]]:
    """The keys of some details, and whether a value is more than a text or null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    own = pc.list_flatten(details)
    paths, literals = pc.struct_field(own, "path"), pc.struct_field(own, "literal")
    is_nothing = pc.is_in(literals, pa.array([None, "null", '""']))
    is_plain = pc.or_(is_nothing, _has_medium(own))
    steps = pc.extract_regex(paths, _FIRST_STEP)
    names = [pc.struct_field(steps, name) for name in ("key", "more")]
    table = pa.table([*names, is_plain], ["key", "more", "plain"])
    rows = table.group_by(["key", "more", "plain"]).aggregate([]).to_pylist()
    return {(json.loads(row["key"]), bool(row["more"]) or not row["plain"]) for row in rows}


_FIRST_STEP = r'^\[(?P<key>"(?:[^"\\]|\\.)*")(?P<more>, )?'


def _has_medium(details: pa.Array) -> Any:
    """Whether each detail is the place of a medium; pools of earlier versions have none."""
    import pyarrow.compute as pc

    known = any(field.name == "medium" for field in details.type)
    return pc.is_valid(pc.struct_field(details, "medium")) if known else False


def _has_other_parts(details: pa.Array) -> bool:
    """Whether a content holds anything but texts and media: `with_marks` leaves it as it is."""
    for row in details.to_pylist():
        is_said: dict[tuple[int, Any], bool] = {}
        for detail in row or ():
            path = _path(detail)
            if path[0] == CONTENT and path[1:]:
                part = (detail["turn"], path[1])
                is_words = isinstance(path[1], int) and path[2:] in ((), ("text",))
                is_said[part] = is_said.get(part, False) or is_words or bool(detail.get("medium"))
                if path[2:] == ("type",) and detail["literal"] is None:
                    return True
        if not all(is_said.values()):
            return True
    return False


def message_column(documents: pa.Table, keys: Keys, *, marks: bool = False) -> pa.Array:
    """The messages of all documents: `text` is that before the edits.

    What is one with `marks`, `with_marks` says. A medium is told by its field until it has its
    place. DataError for a document with a mask that does not lie within one value of a message.
    """
    import pyarrow.compute as pc

    rows = pc.indices_nonzero(documents["turns"].is_valid()).to_pylist()
    values: list[list[Message] | None] = [None] * documents.num_rows
    columns = [documents[name] for name in ("id", "text", "turns", "details", "edits")]
    for row in rows:
        id, text, turns, details, edits = (column[row].as_py() for column in columns)
        own = messages_of(id, text, turns, stored_edits(edits), details or ())
        values[row] = list(map(with_marks, own)) if marks else own
    return array_of(values, keys)


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


def with_marks(message: Message) -> Message:
    """A message whose content is one text, with a mark for each medium: `<image>`.

    A content that holds anything else stays as it is.
    """
    parts = message[CONTENT]
    if not isinstance(parts, list):
        return message
    text, was_text = "", False
    for part in parts:
        words, _ = text_of_part(part)
        medium = medium_of_part(part)
        if words is None and medium is None:
            return message
        piece = words if medium is None else f"<{medium.place.kind}>"
        is_text = medium is None
        text += (JOINT if was_text and is_text else "\n") * bool(text) + str(piece)
        was_text = is_text
    return {**message, CONTENT: text}


Values = list[tuple[Steps, Any]]
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
        pieces = [(_path(detail), _value(detail, text, next(parts))) for detail in own]
        told.append((content, list(_joined(pieces))))
    return told


def _joined(pieces: Values) -> Iterator[tuple[Steps, Any]]:
    """Yield values by their paths; the pieces of a text that marks cut are one again."""
    for path, own in groupby(pieces, key=itemgetter(0)):
        values = [value for _, value in own]
        yield path, values[0] if len(values) == 1 else "".join(values)


def _path(detail: Mapping[str, Any]) -> Steps:
    return tuple(json.loads(detail["path"]))


def _value(detail: Mapping[str, Any], text: str, edited: str) -> Any:
    """The value of a detail: its text after the edits, or what it is while none changes it."""
    if detail["literal"] is None:
        return stands_for(detail["medium"]) if detail.get("medium") else edited
    if edited == text[detail["start"] : detail["end"]]:
        return json.loads(detail["literal"])
    try:
        return json.loads(edited)
    except ValueError:
        return edited
