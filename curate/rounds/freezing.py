"""Freeze a new round on disk, whole or not at all, and read back what its tasks show."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage, tables
from curate.rounds.opened import Opened
from curate.rounds.views import View

if TYPE_CHECKING:
    import pyarrow as pa


@contextmanager
def freeze(
    root: Path,
    number: int,
    spec: Opened,
    sample: list[dict[str, Any]],
    views: Mapping[str, View],
    gold: Mapping[str, Mapping[str, Any]] | None = None,
) -> Iterator[Path]:
    """Write a new round into a folder, yield the folder, and then move it to its place.

    `sample` holds rows of the table `sample`. `views` holds what each task shows, by its id, and
    `gold` the known answers. A file added to the folder belongs to the round from the start.
    """
    import pyarrow as pa

    folder = root / ".building" / f"round-{number:02}"
    shutil.rmtree(folder, ignore_errors=True)
    storage.write_json(folder / "spec.json", dict(spec))
    storage.write_parquet(folder / "sample.parquet", tables.rows("sample", sample))
    rows = [
        {
            "id": id,
            "fields": json.dumps([*view.fields.items()], ensure_ascii=False),
            "edits": _edits_to_json(view),
        }
        for id, view in views.items()
    ]
    schema = pa.schema([(name, pa.string()) for name in ("id", "fields", "edits")])
    storage.write_parquet(folder / "texts.parquet", pa.Table.from_pylist(rows, schema=schema))
    if gold:
        storage.write_json(folder / "gold.json", dict(gold))
    yield folder
    storage.swap(folder, root / "rounds" / f"{number:02}")


def read_views(folder: Path, sample: pa.Table) -> dict[str, View]:
    """Read the view of each task, by its id."""
    sampled = {row["id"]: row for row in sample.to_pylist()}
    path = folder / "texts.parquet"
    with storage.reading(path):
        return {
            row["id"]: View(
                dict(json.loads(row["fields"])),
                tuple(sampled[row["id"]]["members"] or ()),
                sampled[row["id"]]["start"] or 0,
                **_edits_from_json(row["edits"]),
            )
            for row in storage.read_parquet(path).to_pylist()
        }


def _edits_to_json(view: View) -> str | None:
    """A view's edits as JSON: a list, or a list by field where it has several; None for none."""
    edits = view.edits or dict(view.by_field)
    return json.dumps(edits, ensure_ascii=False) if edits else None


def _edits_from_json(stored: str | None) -> dict[str, Any]:
    """The arguments of a View that hold its edits."""
    edits = json.loads(stored or "[]")
    if isinstance(edits, list):
        return {"edits": tuple(map(tuple, edits))}
    return {"by_field": {field: tuple(map(tuple, rows)) for field, rows in edits.items()}}
