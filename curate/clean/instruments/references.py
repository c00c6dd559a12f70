"""Texts that a recipe names for comparison: an evaluation set, a target, seeds."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from curate import storage
from curate.errors import DataError, RecipeError
from curate.names import absent, suggestion

FORMATS = (".jsonl", ".json", ".csv", ".tsv", ".parquet", ".txt")


def read_texts(
    path: Path, fields: Sequence[str], id: str | None = None
) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of every row. The text is the fields, joined by newlines.

    The name is the field `id`, or the row number without one. Reads JSON lines, a JSON list, CSV,
    TSV, Parquet, and plain text with one text a line; all but Parquet also gzipped. Raises
    DataError with file and row.
    """
    for number, row in _rows(path):
        missing = [name for name in (*fields, *([id] if id else ())) if row.get(name) is None]
        if missing:
            raise DataError(
                f"{path.name}, row {number}: no {missing[0]}", hint=suggestion(missing[0], row)
            )
        text = "\n".join(_flat(row[name]) for name in fields)
        yield str(row[id]) if id else str(number), text


def digest_of(path: Path, where: str) -> str:
    """The digest of a file that the setting `where` names.

    Raises RecipeError if it is missing or has an unknown format.
    """
    if not path.is_file():
        hint = "Paths in a recipe are relative to the workspace"
        raise absent(f"{where}: no file {path}", path, hint=hint)
    if not path.name.removesuffix(".gz").endswith(FORMATS):
        raise RecipeError(f"{where}: cannot read {path.name}", hint=f"{', '.join(FORMATS)}")
    return storage.file_digest(path)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number of every row, from 1, and its fields."""
    name = path.name.removesuffix(".gz")
    if name.endswith(".parquet"):
        import pyarrow.parquet as pq

        yield from enumerate(pq.read_table(path).to_pylist(), 1)
        return
    number = 0
    with _open(path) as file:
        try:
            if name.endswith(".jsonl"):
                rows: Iterator[Any] = (json.loads(line) for line in file if line.strip())
            elif name.endswith(".json"):
                rows = iter(json.load(file))
            elif name.endswith((".csv", ".tsv")):
                rows = csv.DictReader(file, delimiter="\t" if name.endswith(".tsv") else ",")
            else:
                rows = ({"text": line.rstrip("\n")} for line in file if line.strip())
            for number, row in enumerate(rows, 1):
                if not isinstance(row, dict):
                    raise DataError(f"{path.name}, row {number}: not an object with fields")
                yield number, row
        except (ValueError, EOFError, csv.Error) as error:
            after = f" after row {number}" if number else ""
            raise DataError(f"{path.name} cannot be read{after}: {error}") from None


def _open(path: Path) -> Any:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _flat(value: Any) -> str:
    """A field as text: each part of a list (choices, answers) on its own line."""
    if isinstance(value, dict):
        value = list(value.values())
    return "\n".join(map(_flat, value)) if isinstance(value, list) else str(value)
