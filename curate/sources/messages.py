"""The messages of a conversation as they came: role, content, and every other value as a detail."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from curate.media.placeless import holds_file
from curate.sources.chat_media import Place, cut_at_marks, medium_of_part
from curate.sources.paths import MISSING, Steps, look, without
from curate.sources.source_spec import Chat
from curate.sources.values import finite, parsed
from curate.text import canonical

ROLE, CONTENT = "role", "content"
"""The keys of a message as it is exported; in a path, `content` leads into a list of contents."""

TEXTS = ("text", "input_text", "output_text")
"""The types of the parts of a content that are plain text."""

JOINT = "\n\n"
"""What stands between the texts of a content that is a list."""

MOST_NAMES = 20
"""So many keys of a message are named where one lacks."""

DEEPEST = 20
"""A value that lies deeper in a message reads as JSON."""


class Detail(NamedTuple):
    """A value of a message beside its role and its plain content.

    `path` leads to it within the message. `text` is canonical, and empty where nothing is shown.
    `literal` is the JSON of what is no text, or is not shown. `within` is where a text of a list of
    contents lies in the content, before that is canonical. `medium` is the place of a medium.
    Pieces of a text that marks of media cut have the same path.
    """

    path: Steps
    text: str
    literal: str | None = None
    within: tuple[int, int] | None = None
    medium: Place | None = None

    @property
    def is_shown(self) -> bool:
        """Whether it reads as a line of its own; the texts of contents stand in the content."""
        return self.within is None and (self.literal is None or bool(self.text))

    @property
    def key(self) -> str:
        """The path as people read it: `tool_calls.0.function.name`."""
        return canonical(".".join(map(str, self.path)))


class Message(NamedTuple):
    """A message: its role, its content as one text, its details, and what was set aside."""

    role: str
    content: str
    details: list[Detail]
    aside: dict[str, Any]


def messages_of(value: Any, chat: Chat, marks: frozenset[str] = frozenset()) -> list[Message]:
    """The messages of a conversation; `marks` are the kinds of media whose marks are places.

    ValueError if `value` is no list of messages, each with a role and something to say.
    """
    messages = as_list(value)
    if messages is None:
        raise ValueError(f"column {chat.field} holds no list of messages")
    if not messages:
        raise ValueError(f"column {chat.field} holds no message")
    return [_message(place, message, chat, marks) for place, message in enumerate(messages, 1)]


def as_list(value: Any) -> list[Any] | None:
    """A conversation as a list: also one that is JSON, or that has a list for each key."""
    value = _parsed(value)
    if isinstance(value, Mapping):
        columns = [column for column in value.values() if isinstance(column, list)]
        if not columns or len(columns) < len(value) or len(set(map(len, columns))) > 1:
            return None
        return [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        return None
    return [_parsed(message) for message in value]


def free(key: str) -> str:
    """The first step to a detail; `role` and `content` are taken where messages call them else."""
    return f"{key}_" if key in (ROLE, CONTENT) else key


def like(value: Any, messages: Sequence[Any]) -> Any:
    """Messages in the form in which `value` holds a conversation; see `as_list`."""
    if isinstance(value, str):
        return json.dumps(like(_parsed(value), messages), ensure_ascii=False)
    if isinstance(value, Mapping):
        return {key: [message[key] for message in messages] for key in value}
    pairs = zip(value, messages, strict=True)
    return [
        json.dumps(message, ensure_ascii=False) if isinstance(came, str) else message
        for came, message in pairs
    ]


def _parsed(value: Any) -> Any:
    """What a text of JSON holds, or one as Python shows a list; any other value as it is."""
    found = parsed(value) if isinstance(value, str) else None
    return value if found is None else found


def _message(place: int, message: Any, chat: Chat, marks: frozenset[str]) -> Message:
    if isinstance(message, dict) and len(message) == 2 and not marks:
        plain = message.get(chat.role), message.get(chat.content)
        if isinstance(plain[0], str) and isinstance(plain[1], str) and not holds_file(plain[1]):
            return Message(plain[0], plain[1], [], {})
    role, said = look(message, chat.role), look(message, chat.content)
    if not isinstance(role, str):
        raise ValueError(f"message {place} has no {chat.role}{_instead(message)}")
    rest = without(message, [chat.role, chat.content])
    aside = {name: rest.pop(name) for name in chat.aside if name in rest}
    try:
        content, details = _content(said, chat.media, marks)
        details += [detail for key, value in rest.items() for detail in _of_key(str(key), value)]
    except ValueError as error:
        raise ValueError(f"message {place} {error}") from None
    if content is None or (said is MISSING and not details):
        raise ValueError(f"message {place} has no {chat.content}")
    if said is MISSING:
        details.append(Detail((CONTENT,), "", "null"))
    return Message(role, content, details, {k: v for k, v in aside.items() if v is not None})


_SPEAKERS, _WORDS = ("role", "from", "speaker"), ("content", "value", "text")
"""Usual keys of a message for who says it, and for what is said."""


def _instead(message: Any) -> str:
    """The keys that a message has, and what to declare if two of them are usual ones."""
    if not isinstance(message, Mapping) or not message:
        return ""
    told = f" ({', '.join(islice(map(str, message), MOST_NAMES))})"
    own = [next((key for key in usual if key in message), "") for usual in (_SPEAKERS, _WORDS)]
    return f"{told}: set chat: {{role: {own[0]}, content: {own[1]}}}" if all(own) else told


def _content(said: Any, has_media: bool, marks: frozenset[str]) -> tuple[str | None, list[Detail]]:
    """The text of a content, with details if it is more than a text; None if it holds nothing."""
    if isinstance(said, str):
        _refuse_bytes(said, (CONTENT,))
        text, pieces = _cut(said, (CONTENT,), 0, marks)
        return text, pieces if any(piece.medium for piece in pieces) else []
    if said is MISSING:
        return "", []
    if said is None:
        return "", [Detail((CONTENT,), "", "null")]
    if isinstance(said, Mapping):
        return "", list(_leaves((CONTENT,), said))
    if not isinstance(said, Sequence) or isinstance(said, bytes):
        return None, []
    return _parts(said, has_media, marks)


def _parts(
    parts: Sequence[Any], has_media: bool, marks: frozenset[str]
) -> tuple[str, list[Detail]]:
    """The texts of a list of contents joined to one, and the details of all of its parts."""
    if not parts:
        return "", [Detail((CONTENT,), "", "[]")]
    texts, details = list[str](), list[Detail]()
    length = 0
    for number, part in enumerate(parts):
        path: Steps = (CONTENT, number)
        if has_media and (own := list(_of_medium(part, path, length))):
            details += own
            continue
        text, key = text_of_part(part)
        if text is None:
            details += _leaves(path, part)
            continue
        _refuse_bytes(text, (CONTENT, number))
        length += len(JOINT) if texts else 0
        text, pieces = _cut(text, path if key is None else (*path, key), length, marks)
        length += len(text)
        texts.append(text)
        if key is None:
            details += pieces
            continue
        for name, value in part.items():
            if name == key:
                details += pieces
            elif name == "type" and value in TEXTS:
                details.append(Detail((*path, name), "", json.dumps(value)))
            else:
                details += _leaves((*path, str(name)), value)
    return JOINT.join(texts), details


def _cut(text: str, path: Steps, start: int, marks: frozenset[str]) -> tuple[str, list[Detail]]:
    """A text without its marks, and its pieces; `start` is where it lies in the content."""
    if not marks:
        return text, [Detail(path, "", None, (start, start + len(text)))]
    words, pieces, at = list[str](), list[Detail](), start
    for piece, kind in cut_at_marks(text, marks):
        if kind is not None:
            literal = json.dumps(piece)
            pieces.append(Detail(path, "", literal, (at, at), Place(kind)))
            continue
        words.append(piece)
        pieces.append(Detail(path, "", None, (at, at + len(piece))))
        at += len(piece)
    return "".join(words), pieces or [Detail(path, "", None, (start, start))]


def _of_medium(part: Any, path: Steps, at: int) -> Iterator[Detail]:
    """Yield the details of a part that is a medium: `{type: image, image: …}`, and what it adds."""
    own = medium_of_part(part)
    if own is None:
        return
    kind = own.place.kind
    yield Detail((*path, "type"), "", json.dumps(kind))
    yield Detail((*path, kind), "", None, (at, at), own.place)
    for key, value in own.more.items():
        for leaf in _leaves((*path, str(key)), value):
            yield leaf._replace(text="", literal=leaf.literal or json.dumps(leaf.text))


def text_of_part(part: Any) -> tuple[str | None, str | None]:
    """The text of a part and the key that holds it; a part may be the text itself."""
    if isinstance(part, str):
        return part, None
    if isinstance(part, Mapping) and isinstance(part.get("text"), str):
        is_text = part.get("type", TEXTS[0]) in TEXTS
        return (part["text"], "text") if is_text else (None, None)
    return None, None


def _of_key(key: str, value: Any) -> list[Detail]:
    """The details of a key; one that says nothing is not shown, and null is as if not there."""
    if value is None or value is MISSING:
        return []
    key = free(key)
    details = list(_leaves((key,), value))
    if all(not detail.text or detail.literal in ("[]", "{}") for detail in details):
        return [Detail((key,), "", json.dumps(finite(value), ensure_ascii=False, default=str))]
    return details


def _leaves(path: Steps, value: Any) -> Iterator[Detail]:
    """Yield every text, number and empty list below a path. Null is kept, and not shown."""
    if isinstance(value, str | bytes):
        _refuse_bytes(value, path)
        yield Detail(path, canonical(str(value)))
    elif value is None or (isinstance(value, float) and finite(value) is None):
        yield Detail(path, "", "null")
    elif isinstance(value, Mapping | list | tuple) and value and len(path) < DEEPEST:
        steps = value.items() if isinstance(value, Mapping) else enumerate(value)
        for step, item in steps:
            own = step if isinstance(step, int) and not isinstance(value, Mapping) else str(step)
            yield from _leaves((*path, own), item)
    elif isinstance(value, bool | int | float | Mapping | list | tuple):
        literal = json.dumps(finite(value), ensure_ascii=False, default=str)
        yield Detail(path, canonical(literal), literal)
    else:
        yield Detail(path, canonical(str(value)))


def _refuse_bytes(value: str | bytes, path: Steps) -> None:
    if isinstance(value, bytes) or holds_file(value, is_named=path[-1] == "data"):
        other = ", or set the key `aside`" if path[0] != CONTENT else ""
        other = ", or set `chat: {media: true}`" if path[0] == CONTENT and path[1:] else other
        raise ValueError(f"holds bytes: name a file or an address{other}")
