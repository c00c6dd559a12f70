"""A source's row as it came, with the edits of its document in the texts that it holds."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from curate.errors import DataError
from curate.export.formats.lines import OURS
from curate.export.placing import NoPlace, edited_parts, edits_within, masked, masked_words, refused
from curate.sources.paths import look, with_value
from curate.sources.reading import AsItCame, Row
from curate.sources.rows import content
from curate.text import Edit, apply_edits, canonical, spans

JOINT = "\n\n"
"""What stands between the parts of a message that is a list."""


def row_json(came: AsItCame, row: Row, edits: Sequence[Edit]) -> str:
    """The JSON of a row, open at its end: `"_curate": …}` follows.

    DataError if it has that column already, or if an edit has no place in it.
    """
    if OURS in came.values:
        raise DataError(
            f"{row.origin}: the row has a column {OURS} already",
            hint="leave `original` out, or give that column another name in the source",
        )
    values: Any = came.values
    if edits:
        try:
            values = edited_row(came, row, edits)
        except NoPlace:
            raise refused(content(row).id, f"the row {row.origin}", "original") from None
    text = canonical(_encode(finite(values)))
    return text[:-1] + (", " if values else "")


def edited_row(came: AsItCame, row: Row, edits: Sequence[Edit]) -> dict[str, Any]:
    """The row with the edits in its texts; what is masked there is masked in other values too.

    Raises NoPlace for a mask that does not lie in one text, and for any edit of text that was
    extracted from a page.
    """
    source = came.shape.source
    text = content(row).text
    if source.extract:
        raise NoPlace("the text was extracted")
    if came.shape.chat is not None:
        changed = _with_messages(came, row, text, edits)
    else:
        changed = _with_fields(came, row, text, edits)
    return dict(masked(changed, masked_words(text, edits)))


def _with_fields(came: AsItCame, row: Row, text: str, edits: Sequence[Edit]) -> Mapping[str, Any]:
    """The row with the edits in the columns of its fields."""
    fields = {name: canonical(own) for name, own in row.fields if name in came.shape.columns}
    places = spans(fields, row.template)
    values = came.values
    for name, edited in zip(places, edited_parts(text, list(places.values()), edits), strict=True):
        if edited != fields[name]:
            values = with_value(values, came.shape.columns[name], edited)
    return values


def _with_messages(came: AsItCame, row: Row, text: str, edits: Sequence[Edit]) -> Mapping[str, Any]:
    """The row with the edits in the messages of its conversation."""
    chat = came.shape.chat
    assert chat is not None
    conversation = list(look(came.values, chat.field))
    ranges = [(turn["start"], turn["end"]) for turn in row.turns or ()]
    for place, own in enumerate(edits_within(ranges, edits)):
        if own:
            message, (start, end) = conversation[place], ranges[place]
            said = _with_edits(look(message, chat.content), text[start:end], own)
            conversation[place] = with_value(message, chat.content, said)
    return with_value(came.values, chat.field, conversation)


def _with_edits(said: Any, text: str, edits: Sequence[Edit]) -> Any:
    """What a message says after edits of its text: a string, or parts with a text each."""
    if isinstance(said, str):
        return apply_edits(text, edits)
    parts = [canonical(str(part.get("text", ""))) for part in said]
    if JOINT.join(parts) != text:
        raise NoPlace("the parts of a message do not lie apart in its text")
    places, at = [], 0
    for part in parts:
        places.append((at, at + len(part)))
        at += len(part) + len(JOINT)
    edited = edited_parts(text, places, edits)
    return [{**part, "text": own} for part, own in zip(said, edited, strict=True)]


def finite(value: Any) -> Any:
    """A value of JSON without numbers that JSON has no word for: they become null."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


def _as_text(value: Any) -> str:
    """What JSON has no type for, as a string: bytes in base64, anything else as Python shows it."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


_encode = json.JSONEncoder(ensure_ascii=False, default=_as_text).encode
