"""Read rows out of files: JSON lines, CSV, Parquet and plain text."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import IO, Annotated, Any, Literal, cast

from pydantic import Field, field_validator, model_validator

from curate.errors import DataError
from curate.spec import Spec
from curate.text import TEXT, canonical

Format = Literal["auto", "jsonl", "csv", "tsv", "parquet", "text"]

SUFFIXES: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".txt": "text",
    ".md": "text",
}


class Column(Spec):
    """A value that stands in a column of the source."""

    field: Annotated[str, Field(description="The column to read.")]


class SourceSpec(Spec):
    """Files of one kind. Without a name, every file is a source of its own, named by its stem."""

    name: Annotated[str | None, Field(min_length=1, description="Name of the source.")] = None
    paths: Annotated[tuple[str, ...], Field(min_length=1, description="Files; globs are allowed.")]
    format: Annotated[Format, Field(description="`auto` goes by the file's suffix.")] = "auto"
    text: Annotated[str, Field(description="The column that holds the text.")] = TEXT
    fields: dict[str, str] = Field(
        default_factory=dict, description="Several fields: name → column, instead of `text`."
    )
    template: Annotated[
        str | None, Field(description="How fields read as one text, as in `{prompt}: {response}`.")
    ] = None
    license: Annotated[str | Column, Field(description="SPDX name, or its column.")] = "unknown"
    language: Annotated[str | Column | None, Field(description="BCP 47 tag, or its column.")] = None

    @field_validator("fields", mode="before")
    @classmethod
    def _from_list(cls, value: Any) -> Any:
        return {name: name for name in value} if isinstance(value, list | tuple) else value

    @model_validator(mode="after")
    def _template_names_fields(self) -> SourceSpec:
        for _, name, how, conversion in Formatter().parse(self.template or ""):
            if name is not None and name not in (self.fields or {TEXT: self.text}):
                raise ValueError(f"the template names {name}, which is no field")
            if how or conversion:
                raise ValueError(f"the template only names fields, as in {{{name}}}")
        return self

    def files(self, root: Path) -> list[Path]:
        """Return the files, sorted within each pattern. DataError if one finds none."""
        found: list[Path] = []
        for pattern in self.paths:
            anchor = Path(pattern).anchor
            base = Path(anchor) if anchor else root
            exact = base / pattern[len(anchor) :]  # a name may hold what a glob would read
            found_here = [exact] if exact.is_file() else base.glob(pattern[len(anchor) :])
            matches = sorted(path for path in found_here if path.is_file())
            if not matches:
                raise DataError(
                    f"no file {pattern}" + (f" (source {self.name})" if self.name else ""),
                    hint=f"paths in a recipe are relative to the workspace, {root}",
                )
            found += matches
        return list(dict.fromkeys(found))

    def named_files(self, root: Path) -> list[tuple[str, Path]]:
        """Return (source name, file), in order."""
        files = self.files(root)
        stems = [_stem(path) for path in files]
        return [
            (self.name or (stem if stems.count(stem) == 1 else f"{path.parent.name}-{stem}"), path)
            for path, stem in zip(files, stems, strict=True)
        ]


def _stem(path: Path) -> str:
    """Return a file's name without the suffixes that say its format."""
    name = path.name.removesuffix(".gz")
    suffix = Path(name).suffix
    return name.removesuffix(suffix) if suffix.lower() in SUFFIXES else name


@dataclass(frozen=True)
class Row:
    """A row as read: every value is text, fields and meta are JSON."""

    source: str
    origin: str
    fields: str
    template: str | None
    license: str
    language: str | None
    meta: str | None


def read_rows(
    source: SourceSpec, name: str, path: Path, label: str, *, strict: bool
) -> Iterator[Row | dict[str, Any]]:
    """Yield the rows of a file; a bad one as `{"row", "reason"}`, or as a DataError if `strict`.

    `label` is the file's name in origins and errors.
    """
    for number, row in _READERS[_format(source, path)](path):
        try:
            if isinstance(row, str):
                raise ValueError(row)
            yield _row(source, name, f"{label}:{number}", row)
        except ValueError as error:
            if strict:
                raise DataError(
                    f"{label}, line {number}: {error}",
                    hint="mend the row, or keep such rows aside with `pool: {strict: false}`",
                ) from None
            yield {"row": number, "reason": str(error)}


def _format(source: SourceSpec, path: Path) -> Format:
    if source.format != "auto":
        return source.format
    suffixes = [suffix for suffix in path.suffixes if suffix != ".gz"]
    found = SUFFIXES.get(suffixes[-1].lower()) if suffixes else None
    if found is None:
        known = ", ".join(SUFFIXES)
        raise DataError(
            f"{path.name}: its suffix names no format that curate reads",
            hint=f"known are {known}; or give the source a `format:`",
        )
    return found


def _row(source: SourceSpec, name: str, origin: str, row: Mapping[str, Any]) -> Row:
    columns = source.fields or {TEXT: source.text}
    fields = [(field, _text(row, column)) for field, column in columns.items()]
    used = {*columns.values()}
    license_, language = _value(source.license, row, used), _value(source.language, row, used)
    rest = {key: value for key, value in row.items() if key not in used}
    meta = canonical(json.dumps(rest, ensure_ascii=False, default=str)) if rest else None
    content = json.dumps(fields)  # in ASCII, since a lone surrogate cannot be stored
    return Row(name, origin, content, source.template, license_ or "unknown", language, meta)


def _text(row: Mapping[str, Any], column: str) -> str:
    if column not in row:
        raise ValueError(f"no column {column} (there are: {', '.join(map(str, row))})")
    if not isinstance(row[column], str):
        raise ValueError(f"column {column} holds {type(row[column]).__name__}, not text")
    return str(row[column])


def _value(given: str | Column | None, row: Mapping[str, Any], used: set[str]) -> str | None:
    if not isinstance(given, Column):
        return given
    used.add(given.field)
    value = row.get(given.field)
    return None if value is None else canonical(str(value))


_Numbered = Iterator[tuple[int, dict[str, Any] | str]]
"""(line or row number, the row, or what is wrong with it)."""


def _open(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path) if path.suffix == ".gz" else path.open("rb"))


def _raw_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    number = 0
    try:
        with _open(path) as file:
            for number, line in enumerate(file, 1):
                yield number, line.removeprefix(BOM_UTF8) if number == 1 else line
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(f"{path.name}, after line {number}: {error}") from None


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in _raw_lines(path):
        try:
            yield number, line.decode()
        except UnicodeDecodeError as error:
            raise DataError(
                f"{path.name}, line {number}: {_not_utf8(error)}", hint="convert the file to UTF-8"
            ) from None


def _not_utf8(error: UnicodeDecodeError) -> str:
    return f"not UTF-8 ({error.reason} at byte {error.start})"


def _jsonl(path: Path) -> _Numbered:
    for number, line in _raw_lines(path):
        if not line.strip():
            continue
        try:
            row = json.loads(line.decode())
        except UnicodeDecodeError as error:
            yield number, _not_utf8(error)
        except ValueError as error:
            yield number, f"not JSON ({getattr(error, 'msg', error)})"
        else:
            yield number, row if isinstance(row, dict) else "not a JSON object"


def _csv(path: Path, delimiter: str = ",") -> _Numbered:
    csv.field_size_limit(1 << 30)  # the default refuses texts past 128 kB
    reader = csv.DictReader((line for _, line in _lines(path)), delimiter=delimiter)
    try:
        for row in reader:
            extra = row.pop(None, None)
            short = None in row.values()
            yield reader.line_num, "not as many cells as columns" if extra or short else row
    except csv.Error as error:
        raise DataError(f"{path.name}, line {reader.line_num}: {error}") from None


def _tsv(path: Path) -> _Numbered:
    return _csv(path, "\t")


def _parquet(path: Path) -> _Numbered:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        for batch in pq.ParquetFile(path).iter_batches(batch_size=4096):
            for row in batch.to_pylist():
                number += 1
                yield number, row
    except pa.ArrowException as error:
        raise DataError(f"{path.name}: not a Parquet file ({error})") from None


def _text_file(path: Path) -> _Numbered:
    text = "".join(line for _, line in _lines(path))
    yield 1, {TEXT: text, "path": path.name}


_READERS = {
    "jsonl": _jsonl,
    "csv": _csv,
    "tsv": _tsv,
    "parquet": _parquet,
    "text": _text_file,
}
