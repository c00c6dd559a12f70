"""The settings of a source: where it lies, how it is read, and what its columns mean."""

from __future__ import annotations

import codecs
from collections import Counter
from string import Formatter
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_serializer, model_validator

from curate.media.medium import KINDS
from curate.sources.keys import VARIABLE, without_key
from curate.sources.media_spec import Interleaved, MediaColumn
from curate.sources.readers.decoding import AUTO
from curate.sources.readers.registry import Format
from curate.spec import Spec, UsedIf, used_with, used_without
from curate.text import TEXT

_NAMES: dict[str, Any] = {"type": ["object", "array"], "items": {"type": "string"}}
"""For the JSON schema: a list of names stands for columns of the same names."""


class Column(Spec):
    """A setting whose value is in a column of the source."""

    field: Annotated[str, Field(description="The column to read, or a path such as `meta.spdx`.")]


class FieldColumn(Spec):
    """A field that a row may lack."""

    model_config = ConfigDict(populate_by_name=True)

    column: Annotated[str, Field(alias="from", description="The column to read, or its path.")]
    optional: Annotated[
        bool, Field(description="Without it, or if it is null or empty, there is no such field.")
    ] = False

    @model_serializer
    def _as_written(self) -> dict[str, Any]:
        return {"from": self.column, "optional": self.optional}


class Chat(Spec):
    """A conversation: a list of messages, each with a role and a content.

    What else a message holds, such as tool calls, are its details: values that read below it.
    """

    field: Annotated[str, Field(description="The column or path of the list.")] = "messages"
    role: Annotated[str, Field(description="Who speaks, within a message.")] = "role"
    content: Annotated[str, Field(description="What is said, within a message.")] = "content"
    turn: Annotated[
        str,
        Field(description="How a message reads; its `{details}` come last if it names no place."),
    ] = "{role}: {content}"
    detail: Annotated[
        str, Field(description="How each value reads that a message holds beside them.")
    ] = "{key}: {value}"
    aside: Annotated[
        tuple[str, ...],
        Field(description="Keys of messages that only go to `meta`: no part of text and id."),
    ] = ()
    media: Annotated[
        bool,
        Field(
            description="Parts as in `{type: image, …}` are media; `<image>` stands for the next "
            "one in the column that `media: {image: …}` names."
        ),
    ] = False
    between: Annotated[str, Field(description="What stands between two messages.")] = "\n\n"
    shown: Annotated[
        Literal["fields", "text"],
        Field(description="`fields`: a field for each message (user_1, assistant_1, …); `text`."),
    ] = "fields"

    @field_validator("turn")
    @classmethod
    def _turn_names_content(cls, value: str) -> str:
        names = _names_in(value)
        if names.count("content") != 1 or not {*names} <= {"role", "content", "details"}:
            raise ValueError("a turn names {content} once, and may name {role} and {details}")
        if names.count("details") > 1:
            raise ValueError("a turn names {details} once")
        return value

    @field_validator("detail")
    @classmethod
    def _detail_names_value(cls, value: str) -> str:
        names = _names_in(value)
        if names.count("value") != 1 or not {*names} <= {"key", "value"}:
            raise ValueError("a detail names {value} once, and may name {key}")
        return value

    @model_validator(mode="after")
    def _none_aside_is_read(self) -> Chat:
        if both := {self.role, self.content} & {*self.aside}:
            raise ValueError(f"{both.pop()} is read, so it cannot be set aside")
        return self


def _names_in(template: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(template) if name is not None]


class Database(Spec):
    """A SQL query: every row of its result is a document."""

    address: Annotated[
        str,
        Field(description="SQLAlchemy's address, its key as `${NAME}` from the environment."),
    ]
    query: Annotated[str, Field(min_length=1, description="The SQL statement to ask.")]

    @field_validator("address")
    @classmethod
    def _no_key(cls, value: str) -> str:
        if "://" not in value and not VARIABLE.fullmatch(value):
            raise ValueError("an address reads as in `sqlite:///data/reviews.db`")
        return without_key(value, names_user=True)


class Hub(Spec):
    """A data set by its name on a Hugging Face hub, streamed."""

    name: Annotated[str, Field(min_length=1, description="Its name, or a folder to load.")]
    config: Annotated[str | None, Field(description="Its configuration.")] = None
    split: Annotated[str, Field(description="The split to read.")] = "train"
    revision: Annotated[str | None, Field(description="A branch, tag or commit.")] = None

    @field_validator("name")
    @classmethod
    def _no_key(cls, value: str) -> str:
        return without_key(value)


OF_BYTES = UsedIf(
    lambda source: bool(source.paths) and source.format not in ("parquet", "arrow"),
    "where no bytes are decoded as text",
)
"""Marks the settings of how bytes become text."""


OF_ROWS = UsedIf(lambda source: source.format not in KINDS, "with format image, audio or video")
"""Marks the settings of what a row holds: a file of these formats is a document by itself."""


OF_MEDIA = UsedIf(
    lambda source: bool(source.paths) and source.format in ("auto", *KINDS),
    "without files of images, audio or video",
)
"""Marks the settings of what lies beside such a file."""


def _may_be_csv(source: Any) -> bool:
    return bool(source.paths) and source.format in ("auto", "csv", "tsv")


def _may_be_pdf(source: Any) -> bool:
    return bool(source.paths) and source.format in ("auto", "pdf")


class SourceSpec(Spec):
    """Files of one kind, a query or a data set. Without a name, every file is a source of its own.

    Such a source has the name of the file's stem, or of the folder in `paths`.
    """

    name: Annotated[str | None, Field(min_length=1, description="Name of the source.")] = None
    paths: Annotated[
        tuple[str, ...],
        Field(description="Files, folders, globs; here, or in a store as in s3://bucket/*.parquet"),
    ] = ()
    database: Annotated[Database | None, Field(description="A SQL query, instead of paths.")] = None
    dataset: Annotated[Hub | None, Field(description="A hub's data set, instead of paths.")] = None
    format: Annotated[
        Literal["auto"] | Format,
        used_with("paths"),
        Field(description="`auto` goes by each file's suffix."),
    ] = "auto"
    encoding: Annotated[
        str,
        OF_BYTES,
        Field(description="`auto` finds it (UTF-8 first); or as Python names it."),
    ] = AUTO
    undecodable: Annotated[
        Literal["reject", "replace"],
        OF_BYTES,
        Field(description="Bytes that are not text: a bad row, or U+FFFD, counted."),
    ] = "reject"
    max_bytes: Annotated[
        int, Field(ge=1, description="A longer line, file or text is a bad row.")
    ] = 32 << 20
    text: Annotated[
        str,
        used_without("fields"),
        OF_ROWS,
        Field(description="The column that holds the text, or its path."),
    ] = TEXT
    fields: dict[str, str | FieldColumn] = Field(
        default_factory=dict,
        description="Several fields: name → column, or `{from: column, optional: true}`.",
        json_schema_extra=_NAMES,
    )
    chat: Annotated[Chat | None, OF_ROWS, Field(description="Messages, instead of `text`.")] = None
    interleaved: Annotated[
        Interleaved | None,
        OF_ROWS,
        Field(description="Texts with places for media, instead of `text`."),
    ] = None
    template: Annotated[
        str | None,
        Field(description="How fields read as one text, as in `{prompt}: {response}`."),
    ] = None
    extract: Annotated[
        Literal["html"] | None,
        OF_ROWS,
        Field(description="The text is HTML: keep the page's main text."),
    ] = None
    media: Annotated[dict[str, str | MediaColumn], OF_ROWS] = Field(
        default_factory=dict,
        description="Images, audio, video: field → column of a path, an address or bytes; or "
        "`{from: url, folder: images}`, files on disk that are named by an address.",
        json_schema_extra=_NAMES,
    )
    captions: Annotated[
        tuple[str, ...],
        OF_MEDIA,
        Field(description="Suffixes of captions in files beside them, as in [.txt, .caption]."),
    ] = ()
    delimiter: Annotated[
        str,
        UsedIf(_may_be_csv, "without format csv or tsv"),
        Field(min_length=1, description="Between the cells of a CSV: `auto` finds it; or `;`."),
    ] = AUTO
    pages: Annotated[
        Literal["apart", "joined"],
        UsedIf(_may_be_pdf, "without format pdf"),
        Field(description="Of a PDF: every page is a document, or all of them are one."),
    ] = "apart"
    license: Annotated[str | Column, Field(description="SPDX name, or its column.")] = "unknown"
    language: Annotated[str | Column | None, Field(description="BCP 47 tag, or its column.")] = None

    @field_validator("fields", "media", mode="before")
    @classmethod
    def _from_list(cls, value: Any) -> Any:
        is_names = isinstance(value, list | tuple) and all(isinstance(name, str) for name in value)
        return {name: name for name in value} if is_names else value

    @field_validator("paths")
    @classmethod
    def _no_keys(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(without_key(address) for address in value)

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            is_text_encoding = value == AUTO or codecs.lookup(value)._is_text_encoding
        except LookupError:
            is_text_encoding = False
        if not is_text_encoding:
            raise ValueError(f"no encoding is named {value}")
        return value

    @field_validator("delimiter")
    @classmethod
    def _one_mark(cls, value: str) -> str:
        if value != AUTO and (len(value) != 1 or value in '"\r\n'):
            raise ValueError("a delimiter is one character, and no quote")
        return value

    @field_validator("captions")
    @classmethod
    def _suffixes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(not suffix.startswith(".") or "/" in suffix for suffix in value):
            raise ValueError("a suffix begins with a dot, as in .txt")
        return value

    @model_validator(mode="after")
    def _one_place(self) -> SourceSpec:
        places = [self.paths, self.database, self.dataset]
        if sum(map(bool, places)) != 1:
            raise ValueError("a source has either paths, a database or a dataset")
        instead = [name for name in ("chat", "interleaved") if getattr(self, name)]
        others = self.fields or self.template or self.extract or self.text != TEXT
        if instead and (others or len(instead) > 1):
            raise ValueError(f"{instead[0]} stands instead of text, fields, template and extract")
        if self.interleaved and self.media:
            raise ValueError("interleaved names its media itself")
        if self.extract and self.fields:
            raise ValueError("extract is for one text, not for fields")
        if self.chat and self.chat.media and (strange := {*self.media} - {*KINDS}):
            raise ValueError(f"media of a chat are named image, audio or video, not {min(strange)}")
        if both := {*self.fields, TEXT} & {*self.media}:
            raise ValueError(f"{both.pop()} cannot be both a text and a medium")
        return self

    @model_validator(mode="after")
    def _template_names_fields(self) -> SourceSpec:
        if self.template is None:
            return self
        fields, uses = self.columns, Counter[str]()
        for _, name, format_spec, conversion in Formatter().parse(self.template):
            if name is not None and name not in fields:
                raise ValueError(f"the template names {name}, which is not a field")
            if format_spec or conversion:
                raise ValueError(f"the template only names fields, as in {{{name}}}")
            uses.update([] if name is None else [name])
        # Only the text is cleaned: a field outside of it would stay unmasked.
        for field in fields:
            if uses[field] != 1:
                how_often = "leaves out" if not uses[field] else "repeats"
                raise ValueError(f"the template {how_often} {field}: it names every field once")
        return self

    @property
    def names_columns(self) -> bool:
        """Whether it says which columns are texts."""
        return bool(self.fields or self.chat or self.interleaved or self.text != TEXT)

    @property
    def columns(self) -> dict[str, str]:
        """The column of each field; `text` has one where no fields are named."""
        own = {
            name: column if isinstance(column, str) else column.column
            for name, column in self.fields.items()
        }
        return own or {TEXT: self.text}

    @property
    def optional(self) -> frozenset[str]:
        """The fields that a row may lack."""
        return frozenset(
            name
            for name, column in self.fields.items()
            if isinstance(column, FieldColumn) and column.optional
        )
