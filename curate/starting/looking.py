"""What the files hold: their columns, by the first rows of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from curate.errors import DataError
from curate.sources.finding import File, find
from curate.sources.reading import Part, SourceSpec, read_as_it_came

ROWS = 200
"""Rows of a file that are looked at."""

FILES = 20
"""Files of a kind that are looked into; the others are taken to be like them."""

TABLES = ("jsonl", "json", "csv", "tsv", "parquet", "arrow")
"""The formats whose rows have columns that somebody named."""

SINGLE = ("text", "markdown", "html", "pdf", "docx", "epub", "code")
"""The formats of which a file is a document, or its pages are."""


@dataclass(frozen=True)
class Seen:
    """A file: its path as a recipe names it, its format, its first rows, or why it has none.

    `rows` are mappings as the reader has them. `is_whole` says that they are all rows of the file.
    `like` is the path of the file that a file was taken to be like, and whose rows it has.
    """

    path: str
    format: str
    size: int
    rows: Sequence[Mapping[str, Any]] = field(default=())
    is_whole: bool = False
    problem: str = ""
    like: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns, in their order."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row))

    def values(self, column: str) -> list[Any]:
        """The values of a column that are there."""
        return [row[column] for row in self.rows if row.get(column) is not None]


def look(root: Path, paths: Sequence[str]) -> list[Seen]:
    """What lies at some paths, relative to `root`, or absolute. Raises DataError for none."""
    source = SourceSpec(paths=tuple(paths))
    files = [file for file in find([source], root) if not file.skip]
    return list(_seen(source, root, files))


def _seen(source: SourceSpec, root: Path, files: Sequence[File]) -> Iterator[Seen]:
    """Yield every file. Of a kind the first are looked into, the others are like one of those."""
    looked: dict[str, int] = {}
    readable: dict[str, Seen] = {}
    for file in files:
        looked[file.format] = looked.get(file.format, 0) + 1
        model = readable.get(file.format)
        if model is not None and looked[file.format] > FILES:
            path = _named(root, file)
            yield replace(model, path=path, size=file.size, is_whole=False, like=model.path)
            continue
        seen = _look_into(source, root, file)
        if not seen.problem:
            readable.setdefault(file.format, seen)
        yield seen


def _look_into(source: SourceSpec, root: Path, file: File) -> Seen:
    path, part = _named(root, file), _part(file)
    if file.format == "image":
        return Seen(path, file.format, file.size)
    try:
        rows = [dict(row.values) for row in islice(read_as_it_came(source, part), ROWS + 1)]
    except DataError as error:
        return Seen(path, file.format, file.size, problem=error.message)
    if not rows:
        return Seen(path, file.format, file.size, problem=f"{path} holds no row that can be read")
    return Seen(path, file.format, file.size, rows[:ROWS], is_whole=len(rows) <= ROWS)


def _part(file: File) -> Part:
    return Part(file.source, file.name, file.address, file.label, format=file.format)


def _named(root: Path, file: File) -> str:
    """The path of a file as a recipe names it: relative to the workspace where it lies there."""
    path = Path(file.address)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
