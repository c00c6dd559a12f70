"""The Arrow column of messages: its type, by the keys that messages have, and its values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from curate.export.quoting import quoted
from curate.sources.messages import CONTENT, ROLE

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


def keys_of(type: pa.DataType) -> Keys:
    """The keys of a type that `messages_type` made."""
    import pyarrow as pa

    return tuple(
        (field.name, isinstance(field.type, pa.JsonType))
        for field in type.value_type
        if field.name != ROLE
    )


def array_of(conversations: Sequence[Sequence[Message] | None], keys: Keys) -> pa.Array:
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
