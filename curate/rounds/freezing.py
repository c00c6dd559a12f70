"""Freeze a new round on disk, whole or not at all, and read back what people were shown."""

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
    opened: Opened,
    sample: list[dict[str, Any]],
    views: Mapping[str, View],
    gold: Mapping[str, Mapping[str, Any]] | None = None,
) -> Iterator[Path]:
    """Freeze a new round: the folder that is yielded takes its place at the end.

    `sample` are rows of the table `sample`, `views` what each task shows, `gold` known answers by
    task. What is added to the folder belongs to the round from the start.
    """
    import pyarrow as pa

    folder = root / ".building" / f"round-{number:02}"
    shutil.rmtree(folder, ignore_errors=True)
    storage.write_json(folder / "spec.json", dict(opened))
    storage.write_parquet(folder / "sample.parquet", tables.rows("sample", sample))
    rows = [
        {
            "id": id,
            "fields": json.dumps([*view.fields.items()], ensure_ascii=False),
            "edits": _edits_json(view),
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
    """Read, by task, what it shows and how its answers lead back to documents."""
    import pyarrow.parquet as pq

    places = {row["id"]: row for row in sample.to_pylist()}
    return {
        row["id"]: View(
            dict(json.loads(row["fields"])),
            tuple(places[row["id"]]["members"] or ()),
            places[row["id"]]["start"] or 0,
            **_stored_edits(row["edits"]),
        )
        for row in pq.read_table(folder / "texts.parquet").to_pylist()
    }


def _edits_json(view: View) -> str | None:
    """A view's edits as JSON: a list, or a list for each field; None without any."""
    edits = view.edits or dict(view.by_field)
    return json.dumps(edits, ensure_ascii=False) if edits else None


def _stored_edits(stored: str | None) -> dict[str, Any]:
    edits = json.loads(stored or "[]")
    if isinstance(edits, list):
        return {"edits": tuple(map(tuple, edits))}
    return {"by_field": {field: tuple(map(tuple, own)) for field, own in edits.items()}}
