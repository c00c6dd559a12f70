"""Where documents come from: sources, the parts in which workers read them, and rows.

    sources ──find──▶ files ──parts──▶ parts ──read──▶ rows, and bad ones with their reason

A part is read alone, by any worker; origins stay `label:line`, whatever the parts.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from curate.errors import DataError
from curate.pool.readers import SUFFIXES, reader
from curate.pool.readers.opening import BLOCK, Reading
from curate.spec import Spec
from curate.text import TEXT, canonical

Format = Literal["auto", "jsonl", "csv", "tsv", "parquet", "text"]


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


def _stem(path: Path) -> str:
    """Return a file's name without the suffixes that say its format."""
    name = path.name.removesuffix(".gz")
    suffix = Path(name).suffix
    return name.removesuffix(suffix) if suffix.lower() in SUFFIXES else name


# ── files and parts


@dataclass(frozen=True)
class File:
    """A file of a source, or whatever else stands for one (an object, a table).

    `size` is in bytes, `modified` in nanoseconds since 1970; both only serve to see a change.
    """

    source: int
    name: str
    address: str
    label: str
    size: int
    modified: int


@dataclass(frozen=True)
class Part:
    """A unit of reading; it can be pickled, and a worker reads it alone.

    `source` is the place in the sources, `name` that source's name, `address` an absolute path
    or URL, `label` how origins and errors name it. `start` and `end` are bytes (JSON lines) or
    row groups (Parquet), half-open; `first` is the number of the first line or row. `more` are
    further small files, read after this one.
    """

    source: int
    name: str
    address: str
    label: str
    start: int = 0
    end: int | None = None
    first: int = 1
    more: tuple[Part, ...] = ()


def find(sources: Sequence[SourceSpec], root: Path) -> list[File]:
    """Return every file of the sources, in order. DataError if a pattern finds none."""
    found: list[File] = []
    for place, source in enumerate(sources):
        paths = source.files(root)
        stems = [_stem(path) for path in paths]
        times = Counter(stems)
        for path, stem in zip(paths, stems, strict=True):
            name = stem if times[stem] == 1 else f"{path.parent.name}-{stem}"
            about = path.stat()
            label = str(path.relative_to(root) if path.is_relative_to(root) else path)
            at = (about.st_size, about.st_mtime_ns)
            found.append(File(place, source.name or name, str(path), label, *at))
    return found


def parts(
    sources: Sequence[SourceSpec],
    root: Path,
    *,
    size: int = 32 << 20,
    files: Iterable[File] | None = None,
) -> list[Part]:
    """Return the parts to read, in the order of the sources, each about `size` bytes or one file.

    Plain JSON lines are cut at line ends, Parquet at row groups; what else is large stays whole,
    small files are put together. `files` are those to read (default: all that `find` finds).
    """
    made: list[Part] = []
    small: list[Part] = []
    weight = 0

    def flush() -> None:
        nonlocal weight
        if small:
            made.append(_with(small[0], more=tuple(small[1:])))
            small.clear()
            weight = 0

    for file in find(sources, root) if files is None else files:
        whole = Part(file.source, file.name, file.address, file.label)
        kind = _format(sources[file.source], Path(file.address))
        if file.size > size:
            flush()
            made += _cut(whole, kind, size)
            continue
        if small and (weight + file.size > size or small[0].source != file.source):
            flush()
        small.append(whole)
        weight += file.size
    flush()
    return made


def _with(part: Part, **changes: Any) -> Part:
    return Part(**{**vars(part), **changes})


def _cut(part: Part, kind: str, size: int) -> list[Part]:
    if kind == "jsonl" and not part.address.endswith(".gz"):
        edges = _line_edges(Path(part.address), size)
    elif kind == "parquet":
        edges = _group_edges(part, size)
    else:
        return [part]
    return [
        _with(part, start=start, end=end, first=first)
        for (start, first), (end, _) in pairwise(edges)
    ]


def _line_edges(path: Path, size: int) -> list[tuple[int, int]]:
    """Return (byte, line number) of the first line of every part, and of the end."""
    edges, at, line, wanted = [(0, 1)], 0, 1, size
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            if at + len(block) > wanted:
                cut = block.find(b"\n", max(0, wanted - at)) + 1
                if cut:
                    edges.append((at + cut, line + block.count(b"\n", 0, cut)))
                    wanted = at + cut + size
            at += len(block)
            line += block.count(b"\n")
    return [*(edge for edge in edges if edge[0] < at), (at, line)]


def _group_edges(part: Part, size: int) -> list[tuple[int, int]]:
    """Return (row group, row number) of the first of every part, and of the end."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        about = pq.read_metadata(part.address)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{part.label}: not a Parquet file ({error})") from None
    edges, row, weight = [(0, 1)], 1, 0
    for place in range(about.num_row_groups):
        group = about.row_group(place)
        if weight and weight + group.total_byte_size > size:
            edges.append((place, row))
            weight = 0
        weight += group.total_byte_size
        row += group.num_rows
    return [*edges, (about.num_row_groups, row)]


# ── rows


@dataclass(frozen=True)
class Row:
    """A row as read: fields (JSON of [[name, text], …]), meta and media are JSON.

    `encoding` names what the bytes were where that is not UTF-8; `replaced` counts characters
    that could not be decoded.
    """

    source: str
    origin: str
    fields: str
    template: str | None
    license: str
    language: str | None
    meta: str | None
    media: str | None = None
    encoding: str | None = None
    replaced: int = 0


@dataclass(frozen=True)
class Bad:
    """A row that could not be used: which source and file, which line or row, and why."""

    source: str
    file: str
    row: int
    reason: str


def read(source: SourceSpec, part: Part, *, strict: bool) -> Iterator[Row | Bad]:
    """Yield the rows of a part; a bad one as `Bad`, or as a DataError if `strict`."""
    for each in (part, *part.more):
        yield from _read_one(source, each, strict)


def _read_one(source: SourceSpec, part: Part, strict: bool) -> Iterator[Row | Bad]:
    kind = _format(source, Path(part.address))
    given = Reading(part.address, part.label, kind, part.start, part.end, part.first)
    for number, row in reader(kind)(given):
        try:
            if isinstance(row, str):
                raise ValueError(row)
            yield _row(source, part.name, f"{part.label}:{number}", row)
        except ValueError as error:
            if strict:
                raise DataError(
                    f"{part.label}, line {number}: {error}",
                    hint="mend the row, or keep such rows aside with `pool: {strict: false}`",
                ) from None
            yield Bad(part.name, part.label, number, str(error))


def _format(source: SourceSpec, path: Path) -> str:
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
