"""What one person answered about one text in another tool; and reading its files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
    the whole row, for a key of the user's.
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


@dataclass(frozen=True)
class Asked:
    """A text that is asked: its task's id, and the fields that the form shows."""

    id: str
    texts: Mapping[str, str]


@dataclass(frozen=True)
class Columns:
    """Columns that the user declares: `id`, `annotator`, a field or a question → the column."""

    names: Mapping[str, str] = field(default_factory=dict)

    def of(self, name: str, found: Sequence[str], row: Mapping[str, Any]) -> str | None:
        """The column of a name: the declared one, else the first of `found` that the row has."""
        declared = self.names.get(name)
        return declared or next((column for column in found if column in row), None)


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
    """Yield the place and the cells of each row of a CSV or TSV file; empty cells are left out."""
    text = read_text(path)
    delimiter = "\t" if "\t" in text.split("\n", 1)[0] else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    for number, row in enumerate(reader, 2):
        if None in row:
            raise DataError(f"{path.name}, row {number}: more cells than columns")
        cells = {name: unguarded(cell) for name, cell in row.items() if cell}
        if cells:
            yield f"{path.name}, row {number}", cells
