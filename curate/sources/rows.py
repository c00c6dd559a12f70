"""Turn a reader's row into a row of the pool: texts by path, meta, licence, language."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from curate.names import suggestion
from curate.sources.chats import conversation
from curate.sources.licensing import license_of
from curate.sources.links import leaves
from curate.sources.paths import MISSING, look, without
from curate.sources.readers.image import FIELD, reference
from curate.sources.readers.opening import remote
from curate.sources.source_spec import Column, SourceSpec
from curate.sources.templates import without_fields
from curate.sources.values import finite, is_empty, language_of
from curate.text import TEXT, canonical, content_id, render

_AS_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=str).encode


class Row(NamedTuple):
    """A row as read: `fields` are (name, text), not yet canonical; `meta` is JSON.

    The text of a field in `media` is the address of its image; an entry is a field's name and a
    `reference`. `encoding` names the encoding if it is not UTF-8; `evidence` is the number of bytes
    that it was guessed from, if they are few. `replaced` counts characters that could not be
    decoded. `turns` are the messages of a conversation: role, start and end of each in the
    canonical text. `details` are what they hold beside: see `curate.sources.chats`.
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
    evidence: int | None = None
    replaced: int = 0
    turns: Sequence[Mapping[str, Any]] | None = None
    details: Sequence[Mapping[str, Any]] | None = None


MOST_NAMES = 50
"""So many columns of a row are looked at to say what was meant by a column that it lacks."""

LONGEST_REASON = 300
"""A longer reason is cut: a row may have thousands of columns, and each row has its reason."""


@dataclass(frozen=True)
class Bad:
    """A row that was not used: its source and file, its line or row number, and the reason.

    `skipped` marks what is no document at all, such as a binary file in a source tree. A damaged
    part of a file is one entry, with the number of its `rows`, and of its bytes (`lost`).
    """

    source: str
    file: str
    row: int
    reason: str
    skipped: bool = False
    rows: int = 1
    lost: int = 0

    def __post_init__(self) -> None:
        if len(self.reason) > LONGEST_REASON:
            object.__setattr__(self, "reason", f"{self.reason[:LONGEST_REASON]}…")


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


# ── rows


class Shape:
    """Make the rows of one file of a source; ValueError says what is wrong with a row.

    `more` are columns that the file's place names, such as its split.
    """

    def __init__(
        self,
        source: SourceSpec,
        address: str,
        *,
        image: bool = False,
        more: Mapping[str, str] | None = None,
    ) -> None:
        self.source = source
        self.address = address
        self.more = dict(more or {})
        self.media = {FIELD: FIELD} if image else source.media
        self.columns = {} if image else source.columns
        self.optional = source.optional
        self.chat = None if image else source.chat
        tags = [source.license, source.language]
        paths = [self.chat.field] if self.chat else [*self.columns.values()]
        paths += self.media.values()
        paths += [tag.field for tag in tags if isinstance(tag, Column)]
        self.used = tuple(dict.fromkeys(paths))
        self.plain = frozenset(paths) if not any("." in path for path in paths) else None
        self.template = source.template and canonical(source.template)
        self.license = None if isinstance(source.license, Column) else license_of(source.license)

    def __call__(self, row: Mapping[str, Any], name: str, origin: str) -> Row:
        """Turn a reader's row into one for the pool. ValueError if that cannot be done."""
        source = self.source
        row = {**self.more, **row} if self.more else row
        if source.extract:
            row = _extracted(row, source.text)
        turns, details, aside = None, None, None
        if self.chat:
            value = look(row, self.chat.field)
            if value is MISSING:
                raise _no_column(self.chat.field, row)
            fields, template, turns, details, aside = conversation(value, self.chat)
        else:
            fields, template = self._fields(row)
        media = [self._medium(row, field, path) for field, path in self.media.items()]
        fields += [(image["field"], image["address"]) for image in media]
        if sum([len(text) for _, text in fields]) > source.max_bytes:
            raise ValueError(f"longer than max_bytes ({source.max_bytes})")
        if self.plain is not None:
            rest = {key: value for key, value in row.items() if key not in self.plain}
        else:
            rest = without(row, self.used)
        if aside and self.chat:
            rest[self.chat.field] = aside
        return Row(
            name,
            origin,
            tuple(fields),
            template,
            self.license or license_of(_value(source.license, row)),
            language_of(_value(source.language, row)),
            _as_json(rest) if rest else None,
            media or None,
            turns=turns,
            details=details,
        )

    def _fields(self, row: Mapping[str, Any]) -> tuple[list[tuple[str, str]], str | None]:
        """The fields that a row has, and the template of these."""
        fields, absent = [], []
        for field, path in self.columns.items():
            value = row.get(path, MISSING)
            if value is MISSING:
                value = look(row, path)
            if field in self.optional and (value is MISSING or is_empty(value)):
                absent.append(field)
            elif isinstance(value, str):
                fields.append((field, value))
            elif value is not MISSING:
                raise ValueError(f"column {path} holds {type(value).__name__}, not text")
            elif self.source.fields or not self.media:
                raise _no_column(path, row)
        if absent and not fields:
            raise ValueError(f"every field is empty: {', '.join(absent)}")
        if absent and self.template is not None:
            return fields, without_fields(self.template, frozenset(absent))
        return fields, self.template

    def _medium(self, row: Mapping[str, Any], field: str, path: str) -> dict[str, Any]:
        value = look(row, path)
        if value is MISSING or value is None:
            raise _no_column(path, row)
        folder = None if remote(self.address) else Path(self.address).parent
        image = _reference(value, path, folder)
        return {"field": field, **image, "address": canonical(image["address"])}


def _as_json(values: Mapping[str, Any]) -> str:
    """Columns as JSON. ValueError if they hold what JSON cannot."""
    try:
        try:
            return canonical(_AS_JSON(values))
        except ValueError:  # JSON has no word for NaN and infinity
            return canonical(_AS_JSON(finite(values)))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except (TypeError, OverflowError) as error:
        raise ValueError(f"its other columns are no JSON ({error})") from None


def _no_column(path: str, row: Mapping[str, Any]) -> ValueError:
    """The error of a path that leads nowhere; its first step may be misspelt."""
    names, head = tuple(map(str, islice(row, MOST_NAMES))), path.partition(".")[0]
    hint = f"there are: {', '.join(names)}" if head in row else _suggested(head, names)
    return ValueError(f"no column {path} ({hint})")


_suggested = lru_cache(maxsize=64)(suggestion)
"""Rows of one file mostly lack the same column: what was meant is looked for once."""


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
    if leaves(os.path.normpath(file), str(folder)):
        raise ValueError("the image lies outside of the file's folder")
    try:
        is_file = file.is_file()
    except OSError as error:
        raise ValueError(f"the image cannot be read: {error.strerror}") from None
    if not is_file:
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


def _value(setting: str | Column | None, row: Mapping[str, Any]) -> Any:
    """What a setting gives for a row: itself, or the value of its column; None without one."""
    if not isinstance(setting, Column):
        return setting
    value = look(row, setting.field)
    return None if value is MISSING else value
