"""How the texts of a file are read: one column, a conversation, a prompt with its response."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from statistics import fmean
from typing import Any, Literal

from curate.media.medium import KINDS
from curate.sources.chat_media import cut_at_marks, medium_of_part
from curate.sources.messages import text_of_part
from curate.starting.looking import TABLES, Seen

TEXTS = (
    *("text", "body", "content", "review", "comment", "sentence", "document", "article", "post"),
    *("message", "abstract", "description", "tweet", "passage", "paragraph"),
    *("正文", "文本", "内容", "评论", "评价", "句子", "文章"),
)
"""Names that columns of texts have; a longer column of another name is taken where none is."""

CHATS = ("messages", "conversations", "conversation", "dialogue", "chat")
PROMPTS = ("prompt", "instruction", "question", "query", "input", "问题", "指令")
RESPONSES = ("response", "output", "answer", "completion", "reply", "回答", "答案")
BETTER, WORSE = ("chosen", "response_a", "answer_a"), ("rejected", "response_b", "answer_b")
LICENSES, LANGUAGES = ("license", "licence"), ("language", "lang", "语言")

LEAST = 12
"""Characters that the values of a column have on the mean, if it is a column of texts."""

Kind = Literal["text", "chat", "answer", "pair", "image"]


@dataclass(frozen=True)
class Shape:
    """How a file becomes documents: `source` are settings of a source of the recipe.

    `kind` says what a document is; `text` is where its words stand, by example.
    """

    kind: Kind
    source: Mapping[str, Any] = field(default_factory=dict)
    examples: tuple[str, ...] = ()


def shape_of(seen: Seen, text: str | None = None) -> Shape | None:
    """How the texts of a file are read; None if no column holds texts. `text` names the column."""
    if seen.format == "image":
        return Shape("image")
    if seen.format not in TABLES:
        return Shape("text", {}, _texts(seen, "text"))
    by_lower = {name.lower(): name for name in seen.columns}
    tags = _tags(seen, by_lower)
    if text is not None:
        return Shape("text", {**_column(text), **tags}, _texts(seen, text))
    if (chat := _chat(seen, by_lower)) is not None:
        has_media, beside = _media(seen, by_lower, chat)
        chat |= {"media": True} if has_media else {}
        columns = {"media": beside} if beside else {}
        return Shape("chat", {"chat": chat, **columns, **tags}, _spoken(seen, chat))
    if pair := _fields(seen, by_lower, (PROMPTS, BETTER, WORSE)):
        return Shape("pair", {**_pair(pair), **tags}, _texts(seen, pair[0]))
    if answer := _fields(seen, by_lower, (PROMPTS, RESPONSES)):
        named = dict(zip(("prompt", "response"), answer, strict=True))
        return Shape("answer", {"fields": named, **tags}, _texts(seen, answer[1]))
    column = _column_of_texts(seen, by_lower)
    return (
        None if column is None else Shape("text", {**_column(column), **tags}, _texts(seen, column))
    )


def _column(name: str) -> dict[str, Any]:
    return {} if name == "text" else {"text": name}


def _texts(seen: Seen, column: str) -> tuple[str, ...]:
    return tuple(value for value in seen.values(column) if isinstance(value, str))


def mean_length(seen: Seen, column: str) -> float:
    """The mean number of characters of a column; 0 unless nearly all its values are texts."""
    values = seen.values(column)
    texts = [value for value in values if isinstance(value, str)]
    if not texts or len(texts) < 0.9 * len(values) or _are_numbers(texts):
        return 0.0
    return fmean(map(len, texts))


def _are_numbers(texts: Sequence[str]) -> bool:
    return all(text.strip().replace(".", "", 1).lstrip("+-").isdecimal() for text in texts if text)


def _column_of_texts(seen: Seen, by_lower: Mapping[str, str]) -> str | None:
    """The column of a known name, else the one whose values are longest and differ."""
    for name in TEXTS:
        if (column := by_lower.get(name)) and mean_length(seen, column):
            return column
    lengths = {
        column: mean_length(seen, column) for column in seen.columns if _differs(seen, column)
    }
    longest = max(lengths, key=lambda column: lengths[column], default=None)
    return longest if longest is not None and lengths[longest] >= LEAST else None


def _differs(seen: Seen, column: str) -> bool:
    """Whether the values of a column are mostly different from each other."""
    values = _texts(seen, column)
    return len(set(values)) > len(values) / 2


def _chat(seen: Seen, by_lower: Mapping[str, str]) -> dict[str, Any] | None:
    """The settings of a conversation: a column of messages, each with a role and a content."""
    for name in CHATS:
        column = by_lower.get(name)
        first = next(iter(seen.values(column)), None) if column else None
        message = first[0] if isinstance(first, list) and first else None
        if not isinstance(message, dict):
            continue
        for role, content in (("role", "content"), ("from", "value"), ("speaker", "text")):
            if role in message and content in message:
                own = {"field": column, "role": role, "content": content}
                plain = {"field": "messages", "role": "role", "content": "content"}
                said = {key: value for key, value in own.items() if value != plain[key]}
                return {**said, "shown": "text"}
    return None


def _said(seen: Seen, chat: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what all messages say: their contents, or the parts of these."""
    column, content = chat.get("field", "messages"), chat.get("content", "content")
    for message in chain.from_iterable(seen.values(column)):
        own = message.get(content) if isinstance(message, dict) else None
        yield from own if isinstance(own, list) else [own]


def _media(
    seen: Seen, by_lower: Mapping[str, str], chat: Mapping[str, Any]
) -> tuple[bool, dict[str, str]]:
    """Whether messages have media, and the columns of those that stand beside them, by kind."""
    has_media, beside = False, {}
    for part in _said(seen, chat):
        medium = medium_of_part(part)
        has_media = has_media or medium is not None
        text, _ = text_of_part(part)
        kinds = {kind for _, kind in cut_at_marks(text or "", frozenset(KINDS)) if kind}
        if medium is not None and medium.place.value is None:
            kinds.add(medium.place.kind)
        for kind in kinds:
            column = next((by_lower[own] for own in (kind, f"{kind}s") if own in by_lower), None)
            if column is not None:
                beside[kind] = column
    return has_media or bool(beside), beside


def _spoken(seen: Seen, chat: Mapping[str, Any]) -> tuple[str, ...]:
    """The texts of messages."""
    texts = (text for text, _ in map(text_of_part, _said(seen, chat)))
    return tuple(text for text in texts if text is not None)


def _fields(
    seen: Seen, by_lower: Mapping[str, str], roles: Sequence[Sequence[str]]
) -> list[str] | None:
    """A column of texts for each role; None if one is not there."""
    columns = []
    for names in roles:
        column = next((by_lower[name] for name in names if name in by_lower), None)
        if column is None or not mean_length(seen, column):
            return None
        columns.append(column)
    return columns


def _pair(columns: Sequence[str]) -> dict[str, Any]:
    named = dict(zip(("prompt", "response_a", "response_b"), columns, strict=True))
    return {"fields": named, "template": "{prompt}\n\nA: {response_a}\n\nB: {response_b}"}


def _tags(seen: Seen, by_lower: Mapping[str, str]) -> dict[str, Any]:
    """Licence and language, where columns of their names hold short texts."""
    tags = {}
    for setting, names in (("license", LICENSES), ("language", LANGUAGES)):
        column = next((by_lower[name] for name in names if name in by_lower), None)
        if column and 0 < mean_length(seen, column) <= 40:
            tags[setting] = {"field": column}
    return tags
