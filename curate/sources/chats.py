"""Conversations: a list of messages as the fields or the one text of a document."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from string import Formatter
from typing import Any, NamedTuple

from curate.sources.paths import MISSING, look
from curate.sources.source_spec import Chat
from curate.text import TEXT, canonical, spans

Turn = dict[str, Any]
"""A message of a conversation: `role`, `start` and `end`, as in the column `turns` of the pool."""


class Conversation(NamedTuple):
    """What a list of messages becomes: fields, the template that makes them one text, and turns.

    A turn is the role of a message, and where its content starts and ends in the canonical text.
    """

    fields: list[tuple[str, str]]
    template: str | None
    turns: list[Turn]


def conversation(value: Any, chat: Chat) -> Conversation:
    """Read a conversation. ValueError if `value` is no list of messages with a role and a text."""
    if value is MISSING or not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise ValueError(f"column {chat.field} holds no list of messages")
    pairs = list(_role_content_pairs(value, chat))
    if not pairs:
        raise ValueError(f"column {chat.field} holds no message")
    return _as_text(pairs, chat) if chat.shown == "text" else _as_fields(pairs, chat)


def _as_text(pairs: Sequence[tuple[str, str]], chat: Chat) -> Conversation:
    """A conversation as one field."""
    text = ""
    places: list[tuple[int, int]] = []
    for role, content in pairs:
        text += chat.between if places else ""
        before, after = _around(chat.turn, role)
        places.append((len(text) + len(before), len(text) + len(before) + len(content)))
        text += before + content + after
    if canonical(text) != text:
        places = [_in_canonical(text, start, end) for start, end in places]
    return Conversation([(TEXT, text)], None, _turns(pairs, places))


def _in_canonical(text: str, start: int, end: int) -> tuple[int, int]:
    """The same stretch in the canonical text."""
    return len(canonical(text[:start])), len(canonical(text[:end]))


def _as_fields(pairs: Sequence[tuple[str, str]], chat: Chat) -> Conversation:
    """A conversation as a field for each message."""
    counts: dict[str, int] = {}
    fields, templates = [], []
    for role, content in pairs:
        word = re.sub(r"\W+", "_", role) or "message"
        counts[word] = counts.get(word, 0) + 1
        name = f"{word}_{counts[word]}"
        fields.append((name, content))
        templates.append(_turn(_literal(chat.turn), _braces(role), f"{{{name}}}"))
    template = canonical(_braces(chat.between).join(templates))
    places = spans({name: canonical(text) for name, text in fields}, template)
    return Conversation(fields, template, _turns(pairs, [places[name] for name, _ in fields]))


def _turns(pairs: Sequence[tuple[str, str]], places: Sequence[tuple[int, int]]) -> list[Turn]:
    return [
        {"role": canonical(role), "start": start, "end": end}
        for (role, _), (start, end) in zip(pairs, places, strict=True)
    ]


def _role_content_pairs(value: Sequence[Any], chat: Chat) -> Iterator[tuple[str, str]]:
    for place, message in enumerate(value, 1):
        role, content = look(message, chat.role), look(message, chat.content)
        if not isinstance(role, str):
            raise ValueError(f"message {place} has no {chat.role}")
        if isinstance(content, Sequence) and not isinstance(content, str):
            kinds = [part.get("type") if isinstance(part, Mapping) else part for part in content]
            if any(kind != "text" for kind in kinds):
                raise ValueError(f"message {place} holds more than text")
            content = "\n\n".join(str(part.get("text", "")) for part in content)
        if content is None:
            content = ""  # a tool call has no content
        if not isinstance(content, str):
            raise ValueError(f"message {place} has no {chat.content}")
        yield role, content


def _around(turn: str, role: str) -> tuple[str, str]:
    """What a turn says before and after its content, which it names once."""
    marks = [(text, name) for text, name, _, _ in Formatter().parse(turn)]
    place = [name for _, name in marks].index("content")
    words = [text + (role if name == "role" else "") for text, name in marks]
    return "".join(words[: place + 1]), "".join(words[place + 1 :])


def _turn(turn: str, role: str, content: str) -> str:
    values = {"role": role, "content": content}
    parts = Formatter().parse(turn)
    return "".join(text + ("" if name is None else values[name]) for text, name, _, _ in parts)


def _literal(turn: str) -> str:
    """A turn with its own braces escaped, as it is filled in once more."""
    parts = Formatter().parse(turn)
    return "".join(
        _braces(_braces(text)) + ("" if name is None else f"{{{name}}}")
        for text, name, _, _ in parts
    )


def _braces(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
