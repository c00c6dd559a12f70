"""JSON of values, one by one and a column at a time, exactly as `json.dumps` writes it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from curate.export.values import is_plain, unpacked

if TYPE_CHECKING:
    import pyarrow as pa

quoted = json.JSONEncoder(ensure_ascii=False).encode
"""`json.dumps(value, ensure_ascii=False)`, which makes an encoder for every call."""

ESCAPES = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t"))
"""What is escaped in canonical texts. The backslash comes first: the others bring some."""


def quoted_column(strings: pa.Array) -> pa.Array:
    """The JSON of every string of a column; null is `null`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if _has_other_controls(strings):
        return pa.array(list(map(quoted, strings.to_pylist())), pa.string())
    for character, escape in ESCAPES:
        strings = pc.replace_substring(strings, character, escape)
    return pc.fill_null(pc.binary_join_element_wise('"', strings, '"', ""), "null")


def _has_other_controls(strings: pa.Array) -> bool:
    """Whether there may be control characters that ESCAPES does not name."""
    import numpy as np

    data = strings.buffers()[2]
    if data is None:
        return False
    offsets = np.frombuffer(strings.buffers()[1], np.int32)[strings.offset :]
    text = np.frombuffer(data, np.uint8)[offsets[0] : offsets[len(strings)]]
    # Bytes wrap around: below 9 is 0 to 8, and 11 less is below 21 for 11 to 31.
    return bool((text < 9).any() or (text - np.uint8(11) < 21).any())


def json_column(values: pa.Array) -> pa.Array | str:
    """The JSON of every value of a column; one string where all are null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if values.null_count == len(values):
        return "null"
    if pa.types.is_struct(values.type):
        parts = object_parts([field.name for field in values.type], values.flatten(), "}")
        return pc.if_else(values.is_valid(), pc.binary_join_element_wise(*parts, ""), "null")
    if pa.types.is_string(values.type):
        return quoted_column(values)
    if pa.types.is_integer(values.type) or pa.types.is_boolean(values.type):
        return pc.fill_null(values.cast(pa.string()), "null")
    rows = values.to_pylist()
    if not is_plain(values.type):
        rows = [unpacked(value, values.type) for value in rows]
    return pa.array(list(map(quoted, rows)), pa.string())


def object_parts(
    names: Iterable[str], columns: Iterable[pa.Array], end: str
) -> Iterator[pa.Array | str]:
    """Yield what makes the JSON of every row, a mapping, if it is joined; `end` closes it."""
    text = "{"
    for name, column in zip(names, columns, strict=True):
        text += f"{'' if text == '{' else ', '}{quoted(name)}: "
        values = json_column(column)
        if isinstance(values, str):
            text += values
        else:
            yield from (text, values)
            text = ""
    yield text + end


def joined(*parts: Any) -> memoryview:
    """The bytes of all rows, one after the other: a row's parts are joined without a separator.

    `parts` are columns of strings without nulls, and strings that stand in every row.
    """
    import numpy as np
    import pyarrow.compute as pc

    rows = pc.binary_join_element_wise(*parts, "")
    if not len(rows):
        return memoryview(b"")
    offsets = np.frombuffer(rows.buffers()[1], np.int32)[rows.offset :]
    return memoryview(rows.buffers()[2])[offsets[0] : offsets[len(rows)]]
