"""Conversations: a list of messages as the fields or the one text of a document."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, chain, islice, pairwise
from string import Formatter
from typing import TYPE_CHECKING, Any, NamedTuple

from curate.sources.messages import Detail, Message, messages_of
from curate.sources.source_spec import Chat
from curate.text import TEXT, canonical, spans

if TYPE_CHECKING:
    from curate.sources.naming import MediaOfChat
    from curate.sources.readers.referring import Referred

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
    aside, a mapping for each message; None without any. `media` are structs of the pool, whose
    fields come last; `at` is where each stands in the canonical text.
    """

    fields: list[tuple[str, str]]
    template: str | None
    turns: list[Turn]
    details: list[dict[str, Any]] | None
    aside: list[dict[str, Any]] | None
    media: list[dict[str, Any]]


class _Told(NamedTuple):
    """A message as a turn tells it: its details as one text, and where each of them lies there.

    `media` are those of the message, in order.
    """

    message: Message
    details: str
    places: list[Place | None]
    media: list[Referred]


class _Names(NamedTuple):
    """The fields of a message: of its content, of each of its media, and of its details."""

    content: str
    media: list[str]
    details: str


def conversation(value: Any, chat: Chat, refer: MediaOfChat | None = None) -> Conversation:
    """Read a conversation, whose media `refer` refers to.

    ValueError if `value` is no list of messages (see `messages_of`), or a medium cannot be used.
    """
    messages = messages_of(value, chat, refer.kinds if refer else frozenset())
    every = chain.from_iterable(message.details for message in messages)
    referred = iter(refer([own.medium for own in every if own.medium]) if refer else ())
    told = [_told(message, chat, referred) for message in messages]
    names = _names(told)
    fields, template, contents, details = (_as_text if chat.shown == "text" else _as_fields)(
        told, names, chat
    )
    turns = [
        {"role": canonical(own.message.role), "start": start, "end": end}
        for own, (start, end) in zip(told, contents, strict=True)
    ]
    aside = [own.message.aside for own in told]
    rows = (
        list(_detail_rows(told, names, contents, details))
        if any(own.places for own in told)
        else []
    )
    at = {row["medium"]: row["start"] for row in rows if row["medium"]}
    media = [
        {"field": field, **medium, "at": at[field]}
        for own, name in zip(told, names, strict=True)
        for field, medium in zip(name.media, own.media, strict=True)
    ]
    aside_or_none = aside if any(aside) else None
    return Conversation(fields, template, turns, rows or None, aside_or_none, media)


def _names(told: Sequence[_Told]) -> list[_Names]:
    """The names of all fields: user_1, user_1_details, user_2, …; image_1, audio_1, image_2, …."""
    counts, taken = Counter[str](), set[str]()

    def numbered(word: str) -> str:
        counts[word] += 1
        return free(f"{word}_{counts[word]}")

    def free(name: str) -> str:
        while name in taken:
            name += "_"
        taken.add(name)
        return name

    names = []
    for own in told:
        content = numbered(re.sub(r"\W+", "_", own.message.role) or "message")
        names.append(_Names(content, [], free(f"{content}_{DETAILS}") if own.details else ""))
    counts.clear()
    for own, name in zip(told, names, strict=True):
        name.media.extend(numbered(medium["kind"]) for medium in own.media)
    return names


def _told(message: Message, chat: Chat, media: Iterator[Referred]) -> _Told:
    """The details of a message, each on lines of its own; the next of all media are its own."""
    if not message.details:
        return _Told(message, "", [], [])
    own = list(islice(media, sum(detail.medium is not None for detail in message.details)))
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
    return _Told(message, "".join(lines), places, own)


Parts = tuple[list[tuple[str, str]], str | None, list[Place], list[Place]]
"""Fields, template, and where the content and the details of each message lie in the text."""


def _as_text(told: Sequence[_Told], names: Sequence[_Names], chat: Chat) -> Parts:
    """A conversation as one field, and its media."""
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
    fields = [(TEXT, text), *_media_fields(told, names)]
    return fields, None, ranges[::2], ranges[1::2]


def _media_fields(told: Sequence[_Told], names: Sequence[_Names]) -> Iterator[tuple[str, str]]:
    """Yield the fields of all media, with their addresses."""
    for own, name in zip(told, names, strict=True):
        addresses = [medium["address"] for medium in own.media]
        yield from zip(name.media, addresses, strict=True)


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


def _as_fields(told: Sequence[_Told], names: Sequence[_Names], chat: Chat) -> Parts:
    """A conversation as a field for each content, for the details of a message, and a medium."""
    texts: dict[str, str] = {}
    templates = []
    for own, name in zip(told, names, strict=True):
        texts[name.content] = own.message.content
        if own.details:
            texts[name.details] = own.details
        marks = {"role": _braces(own.message.role), "content": f"{{{name.content}}}"}
        marks[DETAILS] = f"{{{name.details}}}" if name.details else ""
        templates.append(_filled(_literal(_turn_of(chat, own)), marks))
    template = canonical(_braces(chat.between).join(templates))
    places = spans({name: canonical(text) for name, text in texts.items()}, template)
    return (
        [*texts.items(), *_media_fields(told, names)],
        template,
        [places[name.content] for name in names],
        [places.get(name.details, (0, 0)) for name in names],
    )


def _turn_of(chat: Chat, told: _Told) -> str:
    """How a message reads: with its details below, where the turn does not name their place."""
    if not told.details or any(name == DETAILS for _, name in _parsed(chat.turn)):
        return chat.turn
    return f"{chat.turn}\n{{{DETAILS}}}"


def _detail_rows(
    told: Sequence[_Told],
    names: Sequence[_Names],
    contents: Sequence[Place],
    details: Sequence[Place],
) -> Iterator[dict[str, Any]]:
    """Yield every detail as the pool has it, with its place in the canonical text."""
    media = chain.from_iterable(name.media for name in names)
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
                "medium": next(media) if detail.medium else None,
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
