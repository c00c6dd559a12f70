"""What one person answered about one text in another tool; and reading its files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

from curate.cells import unguarded
from curate.errors import CurateError, DataError
from curate.names import absent
from curate.records import Status
from curate.walking import below


@dataclass(frozen=True)
class Made:
    """One person's answers to one text, as another tool has them.

    `id` is the tool's own unless it is ours. `texts` are the fields by the names of the form, as
    far as the tool keeps them; `loose` says that their white space is not the document's. `data` is
    the whole row, for a key of the user's. `parts` are the sentences of a text that the tool keeps
    apart: each may be a document of its own.
    """

    where: str
    annotator: str
    answers: Mapping[str, Any]
    id: str | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    status: Status = "submitted"
    reason: str | None = None
    at: str | None = None
    seconds: float | None = None
    loose: bool = False
    data: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple[Made, ...] = ()


@dataclass(frozen=True)
class Asked:
    """A text that is asked: its task's id, and the fields that the form shows."""

    id: str
    texts: Mapping[str, str]


@dataclass(frozen=True)
class Columns:
    """Columns that the user declares: `id`, `annotator`, a field or a question → the column."""

    names: Mapping[str, str] = field(default_factory=dict)

    def applied(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row with each declared column under the name that it is declared for.

        A name that is declared stands for nothing else, also where its column is empty.
        """
        others = {name: value for name, value in row.items() if name not in self.names}
        return others | self.declared(row)

    def declared(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """What the row has in declared columns, under the names that they are declared for."""
        named = {name: value_at(row, column) for name, column in self.names.items()}
        return {name: value for name, value in named.items() if value is not None}


def value_at(data: Mapping[str, Any], key: str) -> Any:
    """The value of a key such as `meta.url`: whole, by its path, or without its beginning."""
    if key in data:
        return data[key]
    name, _, rest = key.partition(".")
    inner = data.get(name)
    if rest and isinstance(inner, Mapping) and (value := value_at(inner, rest)) is not None:
        return value
    return value_at(data, rest) if rest else None


def files(path: Path, pattern: str) -> list[Path]:
    """The file, or those of a folder. Raises DataError where there is none."""
    if path.is_file():
        return [path]
    inside = sorted(own for own in below(path) if own.match(pattern)) if path.is_dir() else []
    if not inside:
        raise _absent(path)
    return inside


def _absent(path: Path) -> CurateError:
    hint = "give the file that the tool exported"
    return absent(f"no file {path}", path, hint=hint, kind=DataError)


def read_text(path: Path) -> str:
    """The text of a file. Raises DataError for one that is not there, and for what is no UTF-8."""
    if not path.is_file():
        raise _absent(path)
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name}: not UTF-8 ({error})") from None


def json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the place and the object of each line. Raises DataError with file and line."""
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if line.strip():
            where = f"{path.name}, line {number}"
            yield where, _object(line, where)


def json_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the place and the object of each line, or of each entry of a JSON list."""
    yield from (json_list if read_text(path).lstrip().startswith("[") else json_lines)(path)


def json_list(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the place and the object of each entry of a JSON list. Raises DataError."""
    try:
        entries = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path.name}: not JSON ({error})") from None
    if not isinstance(entries, list):
        raise DataError(f"{path.name}: not a JSON list", hint="give the tool's JSON export")
    for number, entry in enumerate(entries, 1):
        where = f"{path.name}, entry {number}"
        if not isinstance(entry, dict):
            raise DataError(f"{where}: not a JSON object")
        yield where, entry


def _object(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: not JSON ({error})") from None
    if not isinstance(row, dict):
        raise DataError(f"{where}: not a JSON object")
    return row


def csv_rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the place and the cells of each row of a CSV or TSV file; empty cells are left out.

    Cells are apart by tabs, commas or semicolons, as in the first line.
    """
    text = read_text(path)
    head = text.split("\n", 1)[0]
    delimiter = next((mark for mark in "\t,;" if mark in head), ",")
    # Python has one limit of cells for the whole process.
    before = csv.field_size_limit(max(len(text), 1))
    try:
        rows = [*csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)]
    except csv.Error as error:
        raise DataError(f"{path.name}: not CSV ({error})") from None
    finally:
        csv.field_size_limit(before)
    for number, row in enumerate(rows, 2):
        if None in row:
            raise DataError(f"{path.name}, row {number}: more cells than columns")
        cells = {name: unguarded(cell) for name, cell in row.items() if cell}
        if cells:
            yield f"{path.name}, row {number}", cells


def number_of(value: Any) -> float | None:
    """A number as a tool writes it, such as the seconds of an answer; None for what is none."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if isfinite(number) else None
