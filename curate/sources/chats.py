"""Conversations: a list of messages as the fields or the one text of a document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from string import Formatter
from typing import Any, NamedTuple

from curate.sources.messages import Detail, Message, messages_of
from curate.sources.source_spec import Chat
from curate.text import TEXT, canonical, spans

Turn = dict[str, Any]
"""A message of a conversation: `role`, `start` and `end`, as in the column `turns` of the pool."""

Place = tuple[int, int]
"""A half-open range of code points."""

DETAILS = "details"
"""What a turn says of its message beside role and content."""


class Conversation(NamedTuple):
    """What a list of messages becomes: fields, the template that makes them one text, and turns.

    A turn is the role of a message, and where its content starts and ends in the canonical text.
    `details` are all other values, as in the column of the pool. `aside` has the keys that were set
    aside, a mapping for each message; None without any.
    """

    fields: list[tuple[str, str]]
    template: str | None
    turns: list[Turn]
    details: list[dict[str, Any]] | None
    aside: list[dict[str, Any]] | None


class _Told(NamedTuple):
    """A message as a turn tells it: its details as one text, and where each of them lies there."""

    message: Message
    details: str
    places: list[Place | None]


def conversation(value: Any, chat: Chat) -> Conversation:
    """Read a conversation. ValueError if `value` is no list of messages; see `messages_of`."""
    told = [_told(message, chat) for message in messages_of(value, chat)]
    fields, template, contents, details = (_as_text if chat.shown == "text" else _as_fields)(
        told, chat
    )
    turns = [
        {"role": canonical(own.message.role), "start": start, "end": end}
        for own, (start, end) in zip(told, contents, strict=True)
    ]
    aside = [own.message.aside for own in told]
    rows = list(_detail_rows(told, contents, details)) if any(own.places for own in told) else []
    return Conversation(fields, template, turns, rows or None, aside if any(aside) else None)


def _told(message: Message, chat: Chat) -> _Told:
    """The details of a message, each on lines of its own."""
    if not message.details:
        return _Told(message, "", [])
    places: list[Place | None] = []
    lines: list[str] = []
    length = 0
    before_value, after_value = _around(chat.detail, "value")
    for detail in message.details:
        if not detail.is_shown:
            places.append(None)
            continue
        joint = "\n" if lines else ""
        before = canonical(joint + _filled(before_value, {"key": detail.key}))
        start = length + len(before)
        places.append((start, start + len(detail.text)))
        line = before + detail.text + canonical(_filled(after_value, {"key": detail.key}))
        lines.append(line)
        length += len(line)
    return _Told(message, "".join(lines), places)


Parts = tuple[list[tuple[str, str]], str | None, list[Place], list[Place]]
"""Fields, template, and where the content and the details of each message lie in the text."""


def _as_text(told: Sequence[_Told], chat: Chat) -> Parts:
    """A conversation as one field."""
    pieces: list[str] = []
    edges: list[int] = []
    length = 0
    for own in told:
        if pieces:
            pieces.append(chat.between)
            length += len(chat.between)
        message = own.message
        values = {"role": message.role, "content": message.content, DETAILS: own.details}
        at = {"content": length, DETAILS: length}
        for text, name in _parsed(_turn_of(chat, own)):
            pieces.append(text)
            length += len(text)
            if name is not None:
                at[name] = length
                pieces.append(values[name])
                length += len(values[name])
        edges += (at["content"], at["content"] + len(message.content))
        edges += (at[DETAILS], at[DETAILS] + len(own.details))
    text = "".join(pieces)
    places = iter(_in_canonical(text, edges))
    ranges = list(zip(places, places, strict=True))
    return [(TEXT, text)], None, ranges[::2], ranges[1::2]


def _in_canonical(text: str, edges: Sequence[int]) -> list[int]:
    """Where some places of a text lie in its canonical form, in one pass over the text."""
    if canonical(text) == text:
        return list(edges)
    ordered = sorted({0, *edges})
    lengths = (
        len(canonical(text[low:high])) - (text[low - 1 : low + 1] == "\r\n" and low > 0)
        for low, high in pairwise(ordered)
    )
    at = dict(zip(ordered, accumulate(lengths, initial=0), strict=True))
    return [at[edge] for edge in edges]


def _as_fields(told: Sequence[_Told], chat: Chat) -> Parts:
    """A conversation as a field for each content, and one for the details of a message."""
    counts: dict[str, int] = {}
    fields: dict[str, str] = {}
    names: list[tuple[str, str]] = []
    templates = []
    for own in told:
        word = re.sub(r"\W+", "_", own.message.role) or "message"
        counts[word] = counts.get(word, 0) + 1
        content = _free(f"{word}_{counts[word]}", fields)
        fields[content] = own.message.content
        details = ""
        if own.details:
            details = _free(f"{content}_{DETAILS}", fields)
            fields[details] = own.details
        names.append((content, details))
        marks = {"role": _braces(own.message.role), "content": f"{{{content}}}"}
        marks[DETAILS] = f"{{{details}}}" if details else ""
        templates.append(_filled(_literal(_turn_of(chat, own)), marks))
    template = canonical(_braces(chat.between).join(templates))
    places = spans({name: canonical(text) for name, text in fields.items()}, template)
    nowhere = (0, 0)
    return (
        list(fields.items()),
        template,
        [places[content] for content, _ in names],
        [places.get(details, nowhere) for _, details in names],
    )


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """A name that no other field has."""
    while name in taken:
        name += "_"
    return name


def _turn_of(chat: Chat, told: _Told) -> str:
    """How a message reads: with its details below, where the turn does not name their place."""
    if not told.details or any(name == DETAILS for _, name in _parsed(chat.turn)):
        return chat.turn
    return f"{chat.turn}\n{{{DETAILS}}}"


def _detail_rows(
    told: Sequence[_Told], contents: Sequence[Place], details: Sequence[Place]
) -> Iterator[dict[str, Any]]:
    """Yield every detail as the pool has it, with its place in the canonical text."""
    for turn, (own, (content, _), (start, _)) in enumerate(
        zip(told, contents, details, strict=True)
    ):
        within = [edge for detail in own.message.details for edge in detail.within or ()]
        edges = iter(_in_canonical(own.message.content, within))
        for detail, place in zip(own.message.details, own.places, strict=True):
            low, high, first = 0, 0, start
            if detail.within:
                low, high, first = next(edges), next(edges), content
            elif place:
                low, high = place
            yield {
                "turn": turn,
                "path": _path_json(detail),
                "start": first + low,
                "end": first + high,
                "literal": detail.literal,
            }


def _path_json(detail: Detail) -> str:
    return canonical(json.dumps(detail.path, ensure_ascii=False))


# ── templates


@lru_cache(maxsize=256)
def _parsed(template: str) -> tuple[tuple[str, str | None], ...]:
    """What a template says, each part with the name that follows it."""
    return tuple((text, name) for text, name, _, _ in Formatter().parse(template))


@lru_cache(maxsize=256)
def _around(template: str, name: str) -> tuple[str, str]:
    """What a template says before and after a name, which it names once."""
    parts = _parsed(template)
    place = [own for _, own in parts].index(name)
    pieces = [_escaped(text, None if own == name else own) for text, own in parts]
    return "".join(pieces[: place + 1]), "".join(pieces[place + 1 :])


@lru_cache(maxsize=256)
def _literal(turn: str) -> str:
    """A turn with its own braces escaped, as it is filled in once more."""
    return "".join(_escaped(_braces(text), name) for text, name in _parsed(turn))


def _escaped(text: str, name: str | None) -> str:
    return _braces(text) + ("" if name is None else f"{{{name}}}")


def _filled(template: str, values: Mapping[str, str]) -> str:
    return "".join(
        text + ("" if name is None else values[name]) for text, name in _parsed(template)
    )


def _braces(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
