"""Values of lines as every format has them: JSON within columns is read, as it was written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

MESSAGE = ("role", "content")
"""The columns that a message begins with; of its others, it has those that are not null."""


def rows_of(batch: pa.RecordBatch | pa.Table) -> list[dict[str, Any]]:
    """The rows of a batch or a table."""
    rows: list[dict[str, Any]] = batch.to_pylist()
    for field in batch.schema:
        if not is_plain(field.type):
            for row in rows:
                row[field.name] = unpacked(row[field.name], field.type)
    return rows


def is_plain(type: pa.DataType) -> bool:
    """Whether values of a type are in Python what they are in JSON."""
    import pyarrow as pa

    if pa.types.is_list(type):
        return is_plain(type.value_type)
    if pa.types.is_struct(type):
        return not _is_message(type) and all(is_plain(field.type) for field in type)
    return not _is_json(type)


def unpacked(value: Any, type: pa.DataType) -> Any:
    """A value of a column with the JSON in it read."""
    import pyarrow as pa

    if value is None:
        return None
    if _is_json(type):
        return json.loads(value)
    if pa.types.is_list(type):
        return [unpacked(item, type.value_type) for item in value]
    if pa.types.is_struct(type):
        own = {field.name: unpacked(value[field.name], field.type) for field in type}
        if not _is_message(type):
            return own
        return {key: item for key, item in own.items() if key in MESSAGE or item is not None}
    return value


def _is_json(type: pa.DataType) -> bool:
    import pyarrow as pa

    return isinstance(type, pa.JsonType)


def _is_message(type: pa.DataType) -> bool:
    return tuple(field.name for field in type)[:2] == MESSAGE
