"""The columns of lines as fields of Croissant: plain ones, and the plain parts of structs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from curate.cards.quoting import visible

if TYPE_CHECKING:
    import pyarrow as pa

TYPES = {
    "string": "sc:Text",
    "int64": "sc:Integer",
    "double": "sc:Float",
    "bool": "sc:Boolean",
}
"""The types of values, by Arrow's name."""

Path = tuple[str, ...]
"""The names from a column down to a part of it."""

DEPTH = 2
"""So many names below a column: `labels`, a question, its `value`. Posteriors lie deeper."""


def fields_of(records: str, schema: pa.Schema) -> Iterator[dict[str, Any]]:
    """Yield the fields of a record set: a column with a plain value, or the parts of a struct.

    A list of structs, and what lies deeper, has no place in them: see `undescribed`.
    """
    for column in schema:
        id = f"{records}/{column.name}"
        if known := _type(column.type):
            yield _field(id, records, column.name, known)
        elif parts := list(_parts(column.type, ())):
            own = [
                _field(f"{id}/{number}-{_slug(path)}", records, column.name, known, path)
                for number, (path, known) in enumerate(parts)
            ]
            yield {"@type": "cr:Field", "@id": id, "name": id, "subField": own}


def undescribed(schema: pa.Schema) -> list[str]:
    """The columns of which the fields have no part, or not all."""
    return [column.name for column in schema if not _type(column.type)]


def _type(type: pa.DataType) -> dict[str, Any] | None:
    """The type of a plain value, or of a list of them, as a field has it; None for others."""
    import pyarrow as pa

    is_list = pa.types.is_list(type)
    known = TYPES.get(str(type.value_type if is_list else type))
    if known is None:
        return None
    return {"dataType": known, **({"repeated": True} if is_list else {})}


def _parts(type: pa.DataType, above: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the plain parts of a struct, down to DEPTH names, with their types."""
    import pyarrow as pa

    for part in type if pa.types.is_struct(type) and len(above) < DEPTH else ():
        path = (*above, part.name)
        if known := _type(part.type):
            yield path, known
        else:
            yield from _parts(part.type, path)


def _field(
    id: str, records: str, column: str, known: dict[str, Any], path: Path = ()
) -> dict[str, Any]:
    source = {"fileSet": {"@id": f"files-{records}"}, "extract": {"column": column}}
    words = {"description": " · ".join(map(visible, (column, *path)))} if path else {}
    transform = {"transform": {"jsonPath": json_path(path)}} if path else {}
    about = {"@type": "cr:Field", "@id": id, "name": id, **words, **known}
    return {**about, "source": {**source, **transform}}


def json_path(path: Path) -> str:
    """The JSON path to a part; a name is quoted, since it may hold anything."""
    return "$" + "".join(f".'{_escaped(name)}'" for name in path)


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace("'", "\\'")


def _slug(path: Path) -> str:
    """The last names of a path in plain characters: what a person recognises in an id."""
    return re.sub(r"[^\w.-]+", "_", ".".join(path))[:60]
