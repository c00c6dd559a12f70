"""A source's row as it came, with the edits of its document in the texts that it holds."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from curate.errors import DataError
from curate.export.formats.lines import OURS
from curate.export.media.addresses import plain_row
from curate.export.messages import values_of
from curate.export.placing import NoPlace, edited_parts, masked, masked_words, refused
from curate.sources.messages import CONTENT, as_list, free, like
from curate.sources.paths import Steps, look, with_value, with_value_at
from curate.sources.reading import AsItCame, Row
from curate.sources.rows import content
from curate.sources.source_spec import Chat
from curate.sources.values import finite
from curate.text import Edit, canonical, spans


def row_json(came: AsItCame, row: Row, edits: Sequence[Edit]) -> str:
    """The JSON of a row, open at its end: `"_curate": …}` follows.

    Media in it hold no place. DataError if it has that column already, if an edit has no place in
    it, or if a place would stay.
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
    text = canonical(_encode(finite(plain_row(values, row.origin))))
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
    value = look(came.values, chat.field)
    conversation = deepcopy(as_list(value)) or []
    turns = row.turns or ()
    of_turn: list[list[Mapping[str, Any]]] = [[] for _ in turns]
    for detail in row.details or ():
        of_turn[detail["turn"]].append(detail)
    told = zip(
        values_of(text, turns, of_turn, ()), values_of(text, turns, of_turn, edits), strict=True
    )
    for place, ((said, before), (edited, after)) in enumerate(told):
        if said != edited:
            conversation[place] = with_value(conversation[place], chat.content, edited)
        for (path, old), (_, new) in zip(before, after, strict=True):
            if old != new:
                with_value_at(conversation[place], _path_in(conversation[place], path, chat), new)
    return with_value(came.values, chat.field, like(value, conversation))


def _path_in(message: Mapping[str, Any], path: Steps, chat: Chat) -> Steps:
    """The path to a detail in the message that it came in."""
    head, *steps = path
    if head == CONTENT:
        names = (chat.content,) if chat.content in message else tuple(chat.content.split("."))
        return (*names, *steps)
    own = next((key for key in message if head != key and free(str(key)) == head), head)
    return (head if head in message else own, *steps)


def _as_text(value: Any) -> str:
    """What JSON has no type for, as a string: bytes in base64, anything else as Python shows it."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


_encode = json.JSONEncoder(ensure_ascii=False, default=_as_text).encode
