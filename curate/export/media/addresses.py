"""Addresses that hold a medium itself, as `data:image/jpeg;base64,…`: exported without places."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from curate.errors import DataError
from curate.export.media.columns import NAME, with_media
from curate.media import MediumError
from curate.media.metadata import without_places
from curate.media.placeless import placeless_data, placeless_text

if TYPE_CHECKING:
    import pyarrow as pa

FIELDS = "fields"

DATA = r"(?i)^[\x00-\x20]*d[\t\n\r]*a[\t\n\r]*t[\t\n\r]*a[\t\n\r]*:"
"""How an address begins that holds a medium itself, as browsers read it."""

_MAY_HOLD = re.compile(r"data:|[\w+/\\]{64}", re.IGNORECASE)
"""What a text of JSON has in it that holds a medium."""

HINT = "take its metadata out in the source, or leave the document out"


def plain_address(address: str, id: str) -> str:
    """An address without places. DataError, with the document's id, if a place would stay."""
    try:
        return placeless_data(address)
    except MediumError as error:
        raise DataError(f"{id}: {error} ({address[:40]}…)", hint=HINT) from None


def plain_lines(lines: pa.Table) -> pa.Table:
    """Lines whose media and fields hold no place: both have the addresses of media.

    A medium whose address was changed has the sha256 of the new one as `exported_sha256`.
    """
    import pyarrow as pa

    if not _may_hold_data(lines[NAME]):
        return lines
    media, fields = lines[NAME].to_pylist(), lines[FIELDS].to_pylist()
    for row, own in enumerate(media):
        if own:
            id = lines["id"][row].as_py()
            names = {medium["field"] for medium in own}
            media[row] = [_plain_medium(medium, id) for medium in own]
            fields[row] = fields[row] and [
                {**part, "text": plain_address(part["text"], id)} if part["name"] in names else part
                for part in fields[row]
            ]
    place = lines.column_names.index(FIELDS)
    kept = pa.array(fields, lines.schema.field(FIELDS).type)
    return with_media(lines.set_column(place, FIELDS, kept), media)


def check_texts(lines: pa.Table) -> None:
    """Raise DataError for a text, or a field that is none of media, that is a file with a place.

    Such fields are shown in forms. Without the place they would be other texts than were counted.
    """
    import pyarrow.compute as pc

    fields = pc.list_flatten(lines[FIELDS])
    texts = pc.struct_field(fields, "text") if len(fields) else fields
    if not any(_any_data(column) for column in (lines["text"], texts)):
        return
    for line in lines.select(["id", "text", FIELDS, NAME]).to_pylist():
        media = {medium["field"] for medium in line[NAME] or ()}
        own = [part["text"] for part in line[FIELDS] or () if part["name"] not in media]
        for text in [line["text"], *own]:
            if placeless_text(text) != text:
                raise DataError(
                    f"{line['id']}: a text is a file whose metadata tell a place ({text[:40]}…)",
                    hint="name its column under `media`, or take its metadata out in the source",
                )


def _any_data(texts: Any) -> bool:
    """Whether any text begins as a file does: an address that holds one, or base64."""
    import pyarrow.compute as pc

    starts = f"{DATA}|^[\\s]*[A-Za-z0-9+/]{{64}}"
    return bool(len(texts)) and bool(pc.any(pc.match_substring_regex(texts, starts)).as_py())


def plain_row(value: Any, origin: str) -> Any:
    """A value of a source's row without places, however deep media lie in it.

    These are addresses that hold them, base64, and bytes as tables have them; a text of JSON is
    looked into. DataError as of `plain_address`.
    """
    try:
        if isinstance(value, bytes):
            return without_places(value)
        if isinstance(value, str):
            return _plain_json(value, origin) or placeless_text(value)
    except MediumError as error:
        told = f" ({value[:40]}…)" if isinstance(value, str) else ""
        raise DataError(f"{origin}: {error}{told}", hint=HINT) from None
    if isinstance(value, Mapping):
        return {key: plain_row(item, origin) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_row(item, origin) for item in value]
    return value


def _plain_json(text: str, origin: str) -> str | None:
    """A text of JSON in which media hold a place, without that; None for another text."""
    if text.lstrip()[:1] not in ("[", "{") or not _MAY_HOLD.search(text):
        return None
    try:
        value = json.loads(text)
        plain = plain_row(value, origin)
    except (json.JSONDecodeError, RecursionError):
        return None
    return None if plain == value else json.dumps(plain, ensure_ascii=False)


def is_cleaned(medium: Mapping[str, Any]) -> bool:
    """Whether a place was left out of an address: the id of its document was made with it."""
    return medium["sha256"] is None and medium.get("exported_sha256") is not None


def _plain_medium(medium: dict[str, Any], id: str) -> dict[str, Any]:
    address = medium["address"] or ""
    plain = plain_address(address, id)
    if plain == address:
        return medium
    return {**medium, "address": plain, "exported_sha256": sha256(plain.encode()).hexdigest()}


def _may_hold_data(media: pa.ChunkedArray) -> bool:
    """Whether any medium has an address that holds it."""
    import pyarrow.compute as pc

    structs = [chunk.flatten() for chunk in media.chunks]
    addresses = (pc.struct_field(own, "address") for own in structs if len(own))
    return any(pc.any(pc.match_substring_regex(own, DATA)).as_py() or False for own in addresses)
