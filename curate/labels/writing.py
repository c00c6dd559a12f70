"""Labels as a file: CSV, JSONL or Parquet, by its suffix."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage
from curate.cells import guarded
from curate.errors import RecipeError
from curate.labels.settled import SettledLabel

if TYPE_CHECKING:
    import pyarrow as pa


def check_place(path: Path) -> None:
    """Raise RecipeError for a suffix that is no format, and for a folder that is not there."""
    if path.suffix not in WRITERS:
        formats = ", ".join(WRITERS)
        raise RecipeError(
            f"{path}: its suffix names no format of labels",
            hint=f"name a file that ends in {formats}",
        )
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise RecipeError(f"{path} cannot be written", hint="name a file in a folder that exists")


def write(path: Path, labels: Sequence[SettledLabel]) -> None:
    """Write the labels; the file is there once it is whole."""
    check_place(path)
    with storage.replacing(path) as temporary:
        WRITERS[path.suffix](temporary, labels)


def _csv(path: Path, labels: Sequence[SettledLabel]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(field.name for field in fields(SettledLabel))
        for label in labels:
            writer.writerow(_cell(value) for value in asdict(label).values())


def _cell(value: Any) -> Any:
    """A text as it is, numbers and nothing too; all else as JSON."""
    if isinstance(value, str):
        return guarded(value)
    return value if value is None or isinstance(value, int | float) else _json(value)


def _jsonl(path: Path, labels: Sequence[SettledLabel]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{_json(asdict(label))}\n" for label in labels)


def _parquet(path: Path, labels: Sequence[SettledLabel]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [_stored(asdict(label)) for label in labels]
    pq.write_table(pa.Table.from_pylist(rows, schema=_schema()), path)


def _stored(label: dict[str, Any]) -> dict[str, Any]:
    """A label whose values are JSON: their types differ from question to question."""
    answers = [{**said, "value": _json(said["value"])} for said in label["answers"]]
    value = None if label["value"] is None else _json(label["value"])
    return {**label, "value": value, "answers": answers, "comments": [*label["comments"]]}


def _schema() -> pa.Schema:
    import pyarrow as pa

    said = [("annotator", pa.string()), ("value", pa.string())]
    types = {
        **dict.fromkeys(("confidence", "agreement", "disagreement"), pa.float64()),
        **dict.fromkeys(("votes", "start", "end"), pa.int32()),
        "answers": pa.list_(pa.struct(said)),
        "comments": pa.list_(pa.struct([*said, ("question", pa.string())])),
        "undecided": pa.bool_(),
    }
    return pa.schema([(own.name, types.get(own.name, pa.string())) for own in fields(SettledLabel)])


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


WRITERS: dict[str, Callable[[Path, Sequence[SettledLabel]], None]] = {
    ".csv": _csv,
    ".jsonl": _jsonl,
    ".parquet": _parquet,
}
"""How each format is written."""
