"""Tables of an older version: whether their columns are still what is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curate import tables

if TYPE_CHECKING:
    import pyarrow as pa

ALWAYS_WHOLE = ("mix", "groups")
"""Tables that lack a column only if an older version made them."""


def has_types(name: str, stored: pa.Schema) -> bool:
    """Whether the columns of a stored table have the types that are declared here.

    Of the tables `ALWAYS_WHOLE` all declared columns have to be there. Media may lack values that
    an older version did not know.
    """
    is_whole = name in ALWAYS_WHOLE
    declared = [field for field in tables.schema(name) if is_whole or field.name in stored.names]
    known = {field.name: field.type for field in stored}
    return all(
        known.get(field.name) == field.type or _is_older_media(field, known.get(field.name))
        for field in declared
    )


def _is_older_media(declared: pa.Field, stored: pa.DataType | None) -> bool:
    """Whether a column of media has some of the declared values, with their types."""
    import pyarrow as pa

    if declared.name != "media" or stored is None:
        return False
    if not (pa.types.is_list(stored) and pa.types.is_struct(stored.value_type)):
        return False
    return {*stored.value_type} <= {*declared.type.value_type}
