"""Texts that a recipe names for comparison: an evaluation set, a target, seeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from curate import storage
from curate.errors import DataError, RecipeError
from curate.names import absent, suggestion
from curate.sources.paths import MISSING, look
from curate.sources.readers.opening import Numbered, Reading, raw_lines, split_suffix
from curate.sources.readers.registry import SUFFIXES, reader
from curate.text import TEXT

FORMATS = (".jsonl", ".json", ".csv", ".tsv", ".parquet", ".txt")


def read_texts(
    path: Path, fields: Sequence[str], id: str | None = None
) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of every row. The text is the fields, joined by newlines.

    The name is the field `id`, or the row number without one; a field may be a path, such as
    `choices.text`. Reads what the readers of the pool read of JSON, CSV, TSV and Parquet, packed or
    not, in any encoding, and plain text with one text a line. Raises DataError with file and row.
    """
    for number, row in _rows(path):
        names = (*fields, *([id] if id else ()))
        values = {name: look(row, name) for name in names}
        missing = [name for name in names if values[name] in (None, MISSING)]
        if missing:
            raise DataError(
                f"{path.name}, row {number}: no {missing[0]}", hint=suggestion(missing[0], row)
            )
        text = "\n".join(_flat(values[name]) for name in fields)
        yield str(values[id]) if id else str(number), text


def digest_of(path: Path, where: str) -> str:
    """The digest of a file that the setting `where` names.

    Raises RecipeError if it is missing or has an unknown format.
    """
    if not path.is_file():
        hint = "Paths in a recipe are relative to the workspace"
        raise absent(f"{where}: no file {path}", path, hint=hint)
    if split_suffix(str(path))[1] not in FORMATS:
        raise RecipeError(f"{where}: cannot read {path.name}", hint=f"{', '.join(FORMATS)}")
    return storage.file_digest(path)


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the number of every row, from 1, and its values. DataError for one that is none."""
    suffix = split_suffix(str(path))[1]
    reading = Reading(str(path), path.name, SUFFIXES.get(suffix, ""))
    results = _lines(reading) if suffix == ".txt" else reader(reading.format)(reading)
    number = 0
    try:
        for place, result in results:
            if isinstance(result, Mapping):
                number += 1
                yield number, result
            elif isinstance(result, str):
                raise DataError(f"{path.name}: line {place} is {result}")
            _check_whole(reading)
        _check_whole(reading)
    except DataError as error:
        after = f" after row {number}" if number else ""
        cause = error.message.removeprefix(path.name).lstrip(":, ")
        raise DataError(f"{path.name} cannot be read{after}: {cause}") from None


def _lines(reading: Reading) -> Numbered:
    """Yield the lines of a text that are not blank."""
    for number, line in raw_lines(reading):
        if isinstance(line, str):
            yield number, line
        elif text := reading.decoder.decode(line).strip("\r\n"):
            yield number, {TEXT: text}


def _check_whole(reading: Reading) -> None:
    lost = next((own for own in reading.lost if own.size or not own.harmless), None)
    if lost is not None:
        raise DataError(lost.reason)


def _flat(value: Any) -> str:
    """A field as text: each part of a list (choices, answers) on its own line."""
    if isinstance(value, dict):
        value = list(value.values())
    return "\n".join(map(_flat, value)) if isinstance(value, list) else str(value)
