"""Media in the messages of lines: each value is the place of a medium, as in the column `media`.

Where that is, shows when the medium is written. Until then its field stands there, behind a
character that no canonical text holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from curate.export.conversations import array_of, keys_of
from curate.export.media.bringing import Stored, kind_of
from curate.export.values import unpacked

if TYPE_CHECKING:
    import pyarrow as pa

MESSAGES = "messages"

LISTS = {"image": "images", "audio": "audios", "video": "videos"}
"""The columns that list the media of a line by kind, as LLaMA-Factory calls them."""

FILLED = {MESSAGES: "", **{name: kind for kind, name in LISTS.items()}}
"""The columns of lines in which media have a place, and the kind of those in lists."""

_MARK = "\0"


def stands_for(field: str) -> str:
    """What stands in a message for the medium of a field."""
    return f"{_MARK}{field}"


def place_of(medium: Stored) -> str:
    """Where a medium lies: its path in the export, or the address that is all of it."""
    return str(medium["path"] or medium["address"])


def spoken(value: Any, places: Mapping[str, str]) -> Any:
    """A value of a message with the places of its media; `places` are those by field."""
    if isinstance(value, str):
        return places[value[1:]] if value.startswith(_MARK) else value
    if isinstance(value, Mapping):
        return {key: spoken(item, places) for key, item in value.items()}
    if isinstance(value, list):
        return [spoken(item, places) for item in value]
    return value


def places_in(media: Sequence[Stored] | None) -> dict[str, str]:
    """The places of a line's media by field."""
    return {medium["field"]: place_of(medium) for medium in media or ()}


def listed(media: Sequence[Stored] | None, kind: str) -> list[str]:
    """The places of a line's media of a kind, in order."""
    return [place_of(medium) for medium in media or () if kind_of(medium) == kind]


def list_column(documents: pa.Table, kind: str) -> pa.Array:
    """The fields of the media of conversations by kind: their places follow. Null for texts."""
    import pyarrow as pa

    rows = zip(
        documents["turns"].is_valid().to_pylist(), documents["media"].to_pylist(), strict=True
    )
    lists = [
        [medium["field"] for medium in own or () if kind_of(medium) == kind] if is_chat else None
        for is_chat, own in rows
    ]
    return pa.array(lists, pa.list_(pa.string()))


def with_places(lines: pa.Table, media: Sequence[Sequence[Stored] | None]) -> pa.Table:
    """Lines whose messages and lists have the places of media, which are those of each line."""
    import pyarrow as pa

    if not any(media):
        return lines
    for place, column in enumerate(lines.schema):
        rows = lines.column(place).to_pylist() if column.name in FILLED else ()
        if column.name == MESSAGES:
            values = [
                spoken(unpacked(row, column.type), places_in(own))
                for row, own in zip(rows, media, strict=True)
            ]
            lines = lines.set_column(place, column, array_of(values, keys_of(column.type)))
        elif column.name in FILLED:
            kind = FILLED[column.name]
            lists = [row and listed(own, kind) for row, own in zip(rows, media, strict=True)]
            lines = lines.set_column(place, column, pa.array(lists, column.type))
    return lines
