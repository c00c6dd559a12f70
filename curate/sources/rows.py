"""Turn a reader's row into a row of the pool: texts by path, meta, licence, language."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from curate.media.medium import KINDS, in_id
from curate.media.placeless import holds_file
from curate.sources.chats import conversation
from curate.sources.interleaving import pieces
from curate.sources.licensing import license_of
from curate.sources.paths import MISSING, look, no_column, without
from curate.sources.readers.opening import Reading
from curate.sources.readers.referring import Referred
from curate.sources.source_spec import Column, SourceSpec
from curate.sources.templates import without_fields
from curate.sources.values import finite, is_empty, language_of
from curate.text import TEXT, canonical, content_id, render

if TYPE_CHECKING:
    from curate.sources.naming import MediaOfChat

_AS_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=str).encode


class Row(NamedTuple):
    """A row as read: `fields` are (name, text), not yet canonical; `meta` is JSON.

    The text of a field in `media` is its address; an entry is a struct of the pool. `encoding`
    names the encoding if it is not UTF-8; `evidence` is the number of bytes
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


LONGEST_REASON = 300
"""A longer reason is cut: a row may have thousands of columns, and each row has its reason."""


class Bad(NamedTuple):
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


def briefly(reason: str) -> str:
    """A reason that is not longer than LONGEST_REASON."""
    return reason if len(reason) <= LONGEST_REASON else f"{reason[:LONGEST_REASON]}…"


class Content(NamedTuple):
    """The content of a row: its id, its text, and its fields if it has more than a text.

    A field is its name and its text, as in the column `fields`.
    """

    id: str
    text: str
    fields: Sequence[Mapping[str, str]] | None


def content(row: Row) -> Content:
    """The canonical content of a row, with an id that is its hash.

    For a medium, the id uses `in_id`: its sha256 or its address. A medium is not part of the text.
    """
    fields = {name: canonical(text) for name, text in row.fields}
    if row.template is None and list(fields) == [TEXT]:
        return Content(content_id(fields), fields[TEXT], None)
    media = {medium["field"]: in_id(medium, medium["address"]) for medium in row.media or ()}
    texts = {name: text for name, text in fields.items() if name not in media}
    id_fields = fields | media
    stored = [{"name": name, "text": text} for name, text in fields.items()]
    return Content(content_id(id_fields), render(texts, row.template), stored)


# ── rows


USUAL_TEXTS = {"caption": "caption", "text": "txt"}
"""The texts of files of media and of their shards, where no fields are named."""


class Shape:
    """Make the rows of one file of a source; ValueError says what is wrong with a row.

    `reading` is the file; `more` are columns that its place names, such as its split.
    """

    def __init__(
        self, source: SourceSpec, reading: Reading, more: Mapping[str, str] | None = None
    ) -> None:
        self.source = source
        self.label = reading.label
        self.more = dict(more or {})
        is_medium = reading.format in KINDS
        self.holds_media = is_medium or reading.format == "webdataset"
        self.chat = None if is_medium else source.chat
        self.interleaved = None if is_medium else source.interleaved
        named = {} if is_medium else source.media
        self.naming, self.media = None, None
        self.named = named if self.chat and self.chat.media else None
        if named or self.interleaved or self.holds_media or self.named is not None:
            from curate.sources.naming import MediaOfRows, Naming

            self.naming = Naming(reading)
            is_placed = self.interleaved or self.named is not None
            self.media = None if is_placed else MediaOfRows(self.naming, named)
        usual = USUAL_TEXTS if self.holds_media and not source.names_columns else {}
        self.columns = usual or source.columns
        self.optional = source.optional | {*usual}
        tags = [source.license, source.language]
        paths = [self.chat.field] if self.chat else [*self.columns.values()]
        paths = [*self.interleaved.columns] if self.interleaved else paths
        paths += [column for column in named.values() if isinstance(column, str)]
        paths += [tag.field for tag in tags if isinstance(tag, Column)]
        self.used = tuple(dict.fromkeys(paths))
        self.plain = frozenset(paths) if not any("." in path for path in paths) else None
        self.template = source.template and canonical(source.template)
        self.license = None if isinstance(source.license, Column) else license_of(source.license)

    def __call__(self, row: Mapping[str, Any], name: str, number: int) -> Row:
        """Turn a reader's row into one for the pool. ValueError if that cannot be done.

        `number` is that of its line or row in the file.
        """
        source = self.source
        row = {**self.more, **row} if self.more else row
        if source.extract:
            row = _extracted(row, source.text)
        turns, details, aside = None, None, None
        media: list[dict[str, Any]] = []
        if self.chat:
            value = look(row, self.chat.field)
            if value is MISSING:
                raise no_column(self.chat.field, row)
            refer = self._media_of_chat(row, number)
            talk = conversation(value, self.chat, refer)
            fields, template, turns, details, aside, media = talk
        elif self.interleaved:
            fields, media, template = *self._interleaved(row, number), None
        else:
            fields, template = self._fields(row)
        if self.media:
            media = self.media(row, number)
            fields += [(medium["field"], medium["address"]) for medium in media]
        if not fields:
            raise ValueError("it has neither text nor media")
        if sum([len(text) for _, text in fields]) > source.max_bytes:
            raise ValueError(f"longer than max_bytes ({source.max_bytes})")
        if self.plain is not None:
            rest = {key: value for key, value in row.items() if key not in self.plain}
        else:
            rest = without(row, self.used)
        if self.holds_media:
            rest = {key: value for key, value in rest.items() if not isinstance(value, Referred)}
        if aside and self.chat:
            rest[self.chat.field] = aside
        return Row(
            name,
            f"{self.label}:{number}",
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
            if value is MISSING and "." in path:
                value = look(row, path)
            if field in self.optional and (value is MISSING or is_empty(value)):
                absent.append(field)
            elif isinstance(value, str):
                if field == TEXT and holds_file(value):
                    raise ValueError(f"column {path} holds a file: name it under `media`")
                fields.append((field, value))
            elif isinstance(value, bytes):
                fields.append((field, _decoded(value, path)))
            elif value is not MISSING:
                raise ValueError(f"column {path} holds {type(value).__name__}, not text")
            elif self.source.fields or not self.media:
                raise no_column(path, row)
        if absent and not fields and not self.media:
            raise ValueError(f"every field is empty: {', '.join(absent)}")
        if absent and self.template is not None:
            return fields, without_fields(self.template, frozenset(absent))
        return fields, self.template

    def _media_of_chat(self, row: Mapping[str, Any], number: int) -> MediaOfChat | None:
        """What refers to the media of a row's conversation; None where it has none."""
        if self.named is None:
            return None
        from curate.sources.naming import MediaOfChat

        assert self.naming
        return MediaOfChat(self.naming, self.named, row, number)

    def _interleaved(
        self, row: Mapping[str, Any], number: int
    ) -> tuple[list[tuple[str, str]], list[dict[str, Any]]]:
        """The parts of a text with places for media as fields, and its media."""
        assert self.interleaved
        assert self.naming
        fields: list[tuple[str, str]] = []
        media: list[dict[str, Any]] = []
        counts = Counter[str]()
        for piece in pieces(row, self.interleaved):
            if piece.text is not None:
                if holds_file(piece.text):
                    raise ValueError("a text holds a file: make it a part of its kind")
                kind, text = TEXT, piece.text
            else:
                referred = self.naming(piece.value, piece.place, number)
                kind, text = referred["kind"], canonical(referred["address"])
            counts[kind] += 1
            field = f"{kind}_{counts[kind]}"
            fields.append((field, text))
            if piece.text is None:
                media.append({"field": field, **referred, "address": text})
        return fields, media


def _decoded(value: bytes, path: str) -> str:
    """A text that a table holds as bytes, as some writers of Parquet store all texts."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise ValueError(f"column {path} holds bytes that are no UTF-8") from None


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
        raise ValueError(f"its other columns are not JSON ({error})") from None


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
