"""The files of other tools: found in folders and archives, decoded, and cut into rows."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import BadZipFile, ZipFile, is_zipfile

from curate.cells import unguarded
from curate.errors import CurateError, DataError
from curate.names import absent
from curate.sources.readers.archives import BROKEN
from curate.sources.readers.decoding import AUTO, Decoder
from curate.sources.readers.headers import delimiter_of, names_of_columns
from curate.sources.readers.unpacking import Lost, Packing, packing_of
from curate.sources.readers.unpacking import unpacked as unpacked_bytes
from curate.walking import files_below

LARGEST = 1 << 32
"""The bytes that an archive may unpack to."""

SPREADSHEET = "[Content_Types].xml"
"""The file that every document of an office holds, which is a ZIP archive too."""

ANOTHER = "--from names the tool that wrote the file; csv is a table"

Row = tuple[str, dict[str, Any]]
"""The place of a row, and the row."""


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Yield a file or folder as it is; of an archive what it holds, which is gone afterwards.

    A ZIP archive is a folder, or the one file in it. Raises DataError for one that cannot be read.
    """
    if not path.is_file():
        yield path
        return
    with path.open("rb") as file:
        packing = packing_of(file.read(16))
    if packing is None and not is_zipfile(path):
        yield path
        return
    with TemporaryDirectory() as name:
        folder = Path(name)
        yield _unzipped(path, folder) if packing is None else _unpacked(path, packing, folder)


def _unzipped(path: Path, folder: Path) -> Path:
    try:
        with ZipFile(io.BytesIO(path.read_bytes())) as archive:  # an OSError is of the disk then
            if SPREADSHEET in archive.namelist():
                raise DataError(f"{path.name}: a document of an office", hint="save it as CSV")
            if sum(entry.file_size for entry in archive.infolist()) > LARGEST:
                raise DataError(f"{path.name}: unpacks to more than {LARGEST >> 30} GiB")
            archive.extractall(folder)
    except (BadZipFile, ValueError, *BROKEN) as error:
        raise DataError(f"{path.name}: not a ZIP archive that can be read ({error})") from None
    inside = _visible(folder)
    return inside[0] if len(inside) == 1 else folder


def _unpacked(path: Path, packing: Packing, folder: Path) -> Path:
    target = folder / path.stem
    size = 0
    with path.open("rb") as file, target.open("wb") as out:
        for block in unpacked_bytes(file, packing):
            if isinstance(block, Lost):
                raise DataError(f"{path.name}: {block.reason}")
            size += out.write(block)
            if size > LARGEST:
                raise DataError(f"{path.name}: unpacks to more than {LARGEST >> 30} GiB")
    return target


def files(path: Path, *patterns: str) -> list[Path]:
    """The file, or those of a folder. Raises DataError where there is none."""
    if path.is_file():
        return [path]
    inside = [own for own in _visible(path) if any(map(own.match, patterns))]
    if not inside:
        raise _absent(path)
    return inside


def _visible(folder: Path) -> list[Path]:
    """The files below a folder in their order, but those that begin with a dot."""
    is_there = folder.is_dir()
    return sorted(own for own in files_below(folder) if own.name[0] != ".") if is_there else []


def _absent(path: Path) -> CurateError:
    hint = "give the file that the tool exported"
    return absent(f"no file {path}", path, hint=hint, kind=DataError)


def read_text(path: Path) -> str:
    """The text of a file, whatever its encoding.

    Raises DataError for one that is not there, and for bytes that are no text.
    """
    if not path.is_file():
        raise _absent(path)
    try:
        return Decoder().whole(path.read_bytes())
    except ValueError as error:
        raise DataError(f"{path.name}: {error}", hint="save it as UTF-8") from None


def json_lines(path: Path) -> Iterator[Row]:
    """Yield the place and the object of each line. Raises DataError with file and line."""
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if line.strip():
            where = f"{path.name}, line {number}"
            yield where, _object(line, where)


def json_rows(path: Path) -> Iterator[Row]:
    """Yield the place and the object of each line, or of each entry of a JSON list."""
    yield from (json_list if read_text(path).lstrip().startswith("[") else json_lines)(path)


def json_list(path: Path) -> Iterator[Row]:
    """Yield the place and the object of each entry of a JSON list. Raises DataError."""
    try:
        entries = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path.name}: not JSON ({error})", hint=ANOTHER) from None
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
        raise DataError(f"{where}: not JSON ({error})", hint=ANOTHER) from None
    if not isinstance(row, dict):
        raise DataError(f"{where}: not a JSON object")
    return row


def table_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a table: JSON lines, a JSON list, Parquet, or cells apart by a mark.

    Which it is, its first characters tell. What is empty is left out.
    """
    for where, row in _reader_of(path)(path):
        cells = {name: value for name, value in row.items() if value not in (None, "")}
        if cells:
            yield where, cells


def _reader_of(path: Path) -> Callable[[Path], Iterator[Row]]:
    if not path.is_file():
        raise _absent(path)
    with path.open("rb") as file:
        if file.read(4) == b"PAR1":
            return _parquet_rows
    return json_rows if read_text(path).lstrip()[:1] in ("{", "[") else csv_rows


def _parquet_rows(path: Path) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(path).to_pylist()
    except pa.ArrowException as error:
        raise DataError(f"{path.name}: not Parquet ({error})") from None
    for number, row in enumerate(rows, 1):
        values = {name: _plain(value) for name, value in row.items()}
        yield f"{path.name}, row {number}", values


def _plain(value: Any) -> Any:
    """A time as ISO 8601."""
    return value.isoformat() if isinstance(value, date) else value


def csv_rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the place and the cells of each row of a CSV or TSV file; empty cells are left out.

    What stands between cells is found by the first lines. Raises DataError for what is no table.
    """
    names, *records = _records(path) or [[]]
    try:
        names = names_of_columns(names)
    except ValueError as error:
        raise DataError(f"{path.name}: {error}") from None
    for number, record in enumerate(records, 2):
        if any(record[len(names) :]):
            raise DataError(f"{path.name}, row {number}: more cells than columns")
        cells = {name: unguarded(cell) for name, cell in zip(names, record, strict=False) if cell}
        if cells:
            yield f"{path.name}, row {number}", cells


def _records(path: Path) -> list[Sequence[str]]:
    text = read_text(path)
    usual = "\t" if path.suffix.lower() == ".tsv" else ","
    lines = ((line, "") for line in io.StringIO(text, newline=""))
    delimiter, rest = delimiter_of(lines, AUTO, usual)
    # Python has one limit of cells for the whole process.
    before = csv.field_size_limit(max(len(text), 1))
    try:
        records = csv.reader((line for line, _ in rest), delimiter=delimiter)
        return [record for record in records if record]
    except csv.Error as error:
        raise DataError(f"{path.name}: not CSV ({error})") from None
    finally:
        csv.field_size_limit(before)
