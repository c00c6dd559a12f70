"""Turn a reader's row into a row of the pool: texts by path, meta, licence, language."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any, NamedTuple

from curate.names import suggestion
from curate.sources.readers.image import FIELD, reference
from curate.sources.readers.opening import remote
from curate.sources.source_spec import Chat, Column, SourceSpec
from curate.text import TEXT, canonical, content_id, render

MISSING = object()
"""The value at a path that leads nowhere."""

_AS_JSON = json.JSONEncoder(ensure_ascii=False, default=str).encode


class Row(NamedTuple):
    """A row as read: `fields` are (name, text), not yet canonical; `meta` is JSON.

    The text of a field in `media` is the address of its image; an entry is a field's name and a
    `reference`. `encoding` names the encoding if it
    is not UTF-8; `replaced` counts characters that could not be decoded.
    """

    source: str
    origin: str
    fields: tuple[tuple[str, str], ...]
    template: str | None
    license: str
    language: str | None
    meta: str | None
    media: Sequence[Mapping[str, Any]] | None = None
    encoding: str | None = None
    replaced: int = 0


@dataclass(frozen=True)
class Bad:
    """A row that was not used: its source and file, its line or row number, and the reason.

    `skipped` marks what is no document at all, such as a binary file in a source tree.
    """

    source: str
    file: str
    row: int
    reason: str
    skipped: bool = False


class Content(NamedTuple):
    """The content of a row: its id, its text, and its fields if it has more than a text.

    A field is its name and its text, as in the column `fields`.
    """

    id: str
    text: str
    fields: Sequence[Mapping[str, str]] | None


def content(row: Row) -> Content:
    """The canonical content of a row, with an id that is its hash.

    For an image, the id uses the sha256 of its bytes, or its address if they are not available. An
    image is not part of the text.
    """
    fields = {name: canonical(text) for name, text in row.fields}
    if row.template is None and list(fields) == [TEXT]:
        return Content(content_id(fields), fields[TEXT], None)
    media = {image["field"]: image["sha256"] for image in row.media or ()}
    texts = {name: text for name, text in fields.items() if name not in media}
    id_fields = {name: media.get(name) or text for name, text in fields.items()}
    stored = [{"name": name, "text": text} for name, text in fields.items()]
    return Content(content_id(id_fields), render(texts, row.template), stored)


# ── paths


def look(row: Any, path: str) -> Any:
    """The value at a path (`choices.0.message`), or MISSING; a column of that exact name wins."""
    if isinstance(row, Mapping) and path in row:
        return row[path]
    at = row
    for step in path.split("."):
        if isinstance(at, Mapping) and step in at:
            at = at[step]
        elif isinstance(at, Sequence) and not isinstance(at, str | bytes) and _within(at, step):
            at = at[int(step)]
        else:
            return MISSING
    return at


def _within(values: Sequence[Any], step: str) -> bool:
    return step.isascii() and step.isdigit() and int(step) < len(values)


def without(row: Mapping[str, Any], paths: Sequence[str]) -> dict[str, Any]:
    """A row without the values at some paths; all other values stay."""
    rest = {key: value for key, value in row.items() if key not in paths}
    for path in paths:
        if path not in row and look(rest, path) is not MISSING:
            head, *steps = path.split(".")
            rest[head] = _pruned(rest[head], steps)
    return {key: value for key, value in rest.items() if value is not MISSING}


def _pruned(value: Any, steps: Sequence[str]) -> Any:
    if not steps:
        return MISSING
    if isinstance(value, Mapping):
        inner = _pruned(value[steps[0]], steps[1:])
        pairs = ((key, inner if key == steps[0] else item) for key, item in value.items())
        return {key: item for key, item in pairs if item is not MISSING}
    inner = _pruned(value[int(steps[0])], steps[1:])
    place = int(steps[0])
    inner = None if inner is MISSING else inner  # the items after it keep their places
    return [inner if at == place else item for at, item in enumerate(value)]


# ── rows


class Shape:
    """Make the rows of one file of a source; ValueError says what is wrong with a row."""

    def __init__(self, source: SourceSpec, address: str, *, image: bool = False) -> None:
        self.source = source
        self.address = address
        self.media = {FIELD: FIELD} if image else source.media
        self.columns = {} if image else source.fields or {TEXT: source.text}
        self.chat = None if image else source.chat
        tags = [source.license, source.language]
        paths = [self.chat.field] if self.chat else [*self.columns.values()]
        paths += self.media.values()
        paths += [tag.field for tag in tags if isinstance(tag, Column)]
        self.used = tuple(dict.fromkeys(paths))
        self.plain = frozenset(paths) if not any("." in path for path in paths) else None
        self.template = source.template and canonical(source.template)

    def __call__(self, row: Mapping[str, Any], name: str, origin: str) -> Row:
        """Turn a reader's row into one for the pool. ValueError if that cannot be done."""
        source, template = self.source, self.template
        if source.extract:
            row = _extracted(row, source.text)
        if self.chat:
            value = look(row, self.chat.field)
            if value is MISSING:
                raise _no_column(self.chat.field, row)
            fields, template = messages(value, self.chat)
        else:
            fields = self._fields(row)
        media = [self._medium(row, field, path) for field, path in self.media.items()]
        fields += [(image["field"], image["address"]) for image in media]
        if sum([len(text) for _, text in fields]) > source.max_bytes:
            raise ValueError(f"longer than max_bytes ({source.max_bytes})")
        if self.plain is not None:
            rest = {key: value for key, value in row.items() if key not in self.plain}
        else:
            rest = without(row, self.used)
        return Row(
            name,
            origin,
            tuple(fields),
            template,
            _value(source.license, row) or "unknown",
            _value(source.language, row),
            canonical(_AS_JSON(rest)) if rest else None,
            media or None,
        )

    def _fields(self, row: Mapping[str, Any]) -> list[tuple[str, str]]:
        fields = []
        for field, path in self.columns.items():
            value = row.get(path, MISSING)
            if value is MISSING:
                value = look(row, path)
            if isinstance(value, str):
                fields.append((field, value))
            elif value is not MISSING:
                raise ValueError(f"column {path} holds {type(value).__name__}, not text")
            elif self.source.fields or not self.media:
                raise _no_column(path, row)
        return fields

    def _medium(self, row: Mapping[str, Any], field: str, path: str) -> dict[str, Any]:
        value = look(row, path)
        if value is MISSING or value is None:
            raise _no_column(path, row)
        folder = None if remote(self.address) else Path(self.address).parent
        image = _reference(value, path, folder)
        return {"field": field, **image, "address": canonical(image["address"])}


def _no_column(path: str, row: Mapping[str, Any]) -> ValueError:
    """The error of a path that leads nowhere; its first step may be misspelt."""
    names, head = list(map(str, row)), path.partition(".")[0]
    hint = f"there are: {', '.join(names)}" if head in row else suggestion(head, names)
    return ValueError(f"no column {path} ({hint})")


def _reference(value: Any, path: str, folder: Path | None) -> dict[str, Any]:
    if isinstance(value, Mapping) and "sha256" in value:
        return _recorded(value, path)
    if isinstance(value, Mapping) and isinstance(value.get("bytes"), bytes):
        data = value["bytes"]
        sha256 = hashlib.sha256(data).hexdigest()
        return reference(str(value.get("path") or f"sha256:{sha256}"), sha256, len(data))
    if isinstance(value, Mapping):
        value = value.get("path")
    if not isinstance(value, str) or not value:
        raise ValueError(f"column {path} holds {type(value).__name__}, not where an image lies")
    if "://" in value or folder is None:
        return reference(value, None, None)
    file = folder / value
    if not file.is_file():
        raise ValueError(f"the image {value} is not there")
    with file.open("rb") as opened:
        sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
    return reference(str(file), sha256, file.stat().st_size)


def _recorded(value: Mapping[str, Any], path: str) -> dict[str, Any]:
    address, sha256, size = (value.get(name) for name in ("address", "sha256", "bytes"))
    if not isinstance(address, str):
        raise ValueError(f"column {path} holds an image without an address")
    if not (isinstance(sha256, str | None) and isinstance(size, int | None)):
        raise ValueError(f"column {path} holds an image whose sha256 or bytes is no such thing")
    return reference(address, sha256 and canonical(sha256), size)


def _extracted(row: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    from curate.sources.readers.html import NOTHING, main_text

    page = look(row, path)
    if not isinstance(page, str):
        return row
    url = row.get("url")
    extracted = main_text(page, url if isinstance(url, str) else None)
    if extracted is None:
        raise ValueError(NOTHING)
    metadata = {key: value for key, value in extracted.items() if key != TEXT}
    return {**metadata, **without(row, [path]), path: extracted[TEXT]}


def _value(setting: str | Column | None, row: Mapping[str, Any]) -> str | None:
    if not isinstance(setting, Column):
        return setting
    value = look(row, setting.field)
    return None if value is None or value is MISSING else canonical(str(value))


# ── conversations


def messages(value: Any, chat: Chat) -> tuple[list[tuple[str, str]], str | None]:
    """The fields of a conversation, and the template that makes them one text.

    ValueError if `value` is no list of messages with a role and a text.
    """
    if value is MISSING or not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise ValueError(f"column {chat.field} holds no list of messages")
    pairs = list(_role_content_pairs(value, chat))
    if not pairs:
        raise ValueError(f"column {chat.field} holds no message")
    if chat.shown == "text":
        turns = (_turn(chat.turn, role, content) for role, content in pairs)
        return [(TEXT, chat.between.join(turns))], None
    counts: dict[str, int] = {}
    fields, templates = [], []
    for role, content in pairs:
        word = re.sub(r"\W+", "_", role) or "message"
        counts[word] = counts.get(word, 0) + 1
        name = f"{word}_{counts[word]}"
        fields.append((name, content))
        templates.append(_turn(_literal(chat.turn), _braces(role), f"{{{name}}}"))
    return fields, canonical(_braces(chat.between).join(templates))


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
