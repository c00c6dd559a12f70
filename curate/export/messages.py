"""The column `messages`: a conversation as it came, with the edits in every message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from curate.errors import CurateError, RecipeError
from curate.export.placing import NoPlace, edited_parts, masked_words, refused
from curate.text import Edit
from curate.workspace import Workspace
from curate.workspace.documents import stored_edits

if TYPE_CHECKING:
    import pyarrow as pa

Message = dict[str, str]
"""`role` and `content`."""


def messages_type() -> pa.DataType:
    """The type of the column: null is a document that came as no conversation."""
    import pyarrow as pa

    return pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))


def check_conversations(workspace: Workspace) -> None:
    """Raise if no document can have messages: RecipeError without a `chat`; or the pool is old."""
    import pyarrow.parquet as pq

    sources = workspace.tables.made("pool").spec.get("sources") or ()
    if not any(source.get("chat") for source in sources):
        raise RecipeError(
            "export.messages: no source of the pool is a conversation",
            hint="a source of conversations has `chat` (`curate pool` reads it)",
        )
    if "turns" not in pq.read_schema(workspace.tables.shards("pool")[0]).names:
        raise CurateError(
            "export.messages: the pool is of an earlier version, and does not tell messages",
            hint="`curate pool` makes it again",
        )


def message_column(documents: pa.Table) -> pa.Array:
    """The messages of all documents, from columns id, text (before the edits), edits, and turns.

    DataError for a document with a mask that does not lie within one message.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = pc.indices_nonzero(documents["turns"].is_valid()).to_pylist()
    values: list[list[Message] | None] = [None] * documents.num_rows
    columns = [documents[name] for name in ("id", "text", "turns", "edits")]
    for row in rows:
        id, text, turns, edits = (column[row].as_py() for column in columns)
        values[row] = messages_of(id, text, turns, stored_edits(edits))
    return pa.array(values, messages_type())


def messages_of(
    id: str, text: str, turns: Sequence[Mapping[str, Any]], edits: Sequence[Edit]
) -> list[Message]:
    """The messages of a document after its edits. DataError if a mask has no place in them."""
    words = masked_words(text, edits)
    roles = [turn["role"] for turn in turns]
    try:
        contents = edited_parts(text, [(turn["start"], turn["end"]) for turn in turns], edits)
        if any(word in role for role in roles for word in words):
            raise NoPlace("masked words stand in a role")
    except NoPlace:
        raise refused(id, "its messages", "messages") from None
    return [
        {"role": role, "content": content} for role, content in zip(roles, contents, strict=True)
    ]
